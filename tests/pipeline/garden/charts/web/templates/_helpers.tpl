{{- define "web.label" -}}{{ .Release.Name }}-web{{- end }}
