package main

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"
)

// release evaluates the releases of a helmfile: templates that they inherit, expressions, conditions and values.
func (h *helmfile) release(st *state, selectors []string) {
	// What one release writes into values is not for the others.
	for index, entry := range listOf(st.fields["releases"]) {
		one := map[string]any{"path": st.path, "index": index}
		fields, err := h.inherited(st, mapOf(entry), nil)
		if err == nil {
			fields, err = h.expressions(st, fields)
		}
		if err == nil {
			var chosen bool
			if chosen, err = selected(fields, selectors); err == nil && !chosen {
				continue
			}
			err = h.described(st, fields, one)
		}
		if err != nil {
			var world errWorld
			if fields == nil {
				fields = mapOf(entry)
			}
			named(st, fields, one)
			one["error"], one["world"] = err.Error(), errors.As(err, &world)
			if errors.Is(err, errWanted) {
				continue
			}
		}
		h.releases = append(h.releases, one)
	}
}

// inherited puts the templates below the release: lists are joined, and what the release has wins.
func (h *helmfile) inherited(st *state, release map[string]any, way []string) (map[string]any, error) {
	result := map[string]any{}
	names := []any{}
	if way == nil {
		for _, name := range listOf(st.fields["defaultInherit"]) {
			names = append(names, map[string]any{"template": name})
		}
	}
	for _, entry := range append(names, listOf(release["inherit"])...) {
		fields := mapOf(entry)
		name := text(fields["template"])
		for _, known := range way {
			if known == name {
				return nil, fmt.Errorf("the templates inherit each other: %s", strings.Join(append(way, name), " → "))
			}
		}
		template := mapOf(mapOf(st.fields["templates"])[name])
		if template == nil {
			return nil, fmt.Errorf("it inherits the template %s, which there is not", name)
		}
		own, err := h.inherited(st, template, append(append([]string{}, way...), name))
		if err != nil {
			return nil, err
		}
		for _, field := range listOf(fields["except"]) {
			delete(own, text(field))
		}
		result = mergeLayers(result, own)
	}
	result = mergeLayers(result, release)
	delete(result, "inherit")
	return result, nil
}

// expressions renders the templates in a release's fields until nothing changes any more.
func (h *helmfile) expressions(st *state, fields map[string]any) (map[string]any, error) {
	labels := mergeMaps(mapOf(fields["labels"]), mapOf(st.fields["commonLabels"]))
	fields = mergeMaps(fields, map[string]any{"labels": labels})
	for pass := 0; pass < 6; pass++ {
		next, err := h.expressed(st, fields)
		if err != nil {
			return next, err
		}
		if reflect.DeepEqual(next, fields) {
			return next, nil
		}
		fields = next
	}
	return fields, errors.New("its templates refer to each other without end")
}

// expressed renders each field once. With an error it gives what was rendered before that.
func (h *helmfile) expressed(st *state, fields map[string]any) (map[string]any, error) {
	data := h.releaseData(st, fields)
	one := func(value any) (any, error) {
		content, isText := value.(string)
		if !isText {
			return value, nil
		}
		return h.render(st.path, content, data)
	}
	result := mergeMaps(map[string]any{}, fields)
	for _, field := range strings.Fields("name chart namespace version installedTemplate conditionTemplate") {
		if _, given := fields[field]; given {
			value, err := one(fields[field])
			if err != nil {
				return result, fmt.Errorf("%s: %w", field, err)
			}
			result[field] = strings.TrimSpace(text(value))
		}
	}
	labels := map[string]any{}
	for name, value := range mapOf(fields["labels"]) {
		rendered, err := one(text(value))
		if err != nil {
			return result, fmt.Errorf("labels: %w", err)
		}
		labels[name] = rendered
	}
	result["labels"] = labels
	first := []any{}
	for _, entry := range listOf(fields["valuesTemplate"]) {
		if own := mapOf(entry); own != nil {
			content, err := marshalled(own)
			if err != nil {
				return result, err
			}
			rendered, err := h.render(st.path, content, data)
			if err != nil {
				return result, fmt.Errorf("valuesTemplate: %w", err)
			}
			if entry, err = parsed(rendered); err != nil {
				return result, fmt.Errorf("valuesTemplate: %w", err)
			}
		}
		first = append(first, entry)
	}
	delete(result, "valuesTemplate")
	values := []any{}
	for _, entry := range append(first, listOf(fields["values"])...) {
		rendered, err := one(entry)
		if err != nil {
			return result, fmt.Errorf("values: %w", err)
		}
		values = append(values, rendered)
	}
	result["values"] = values
	sets := []any{}
	for _, entry := range listOf(fields["setTemplate"]) {
		own := map[string]any{}
		for key, value := range mapOf(entry) {
			rendered, err := one(value)
			if err != nil {
				return result, fmt.Errorf("setTemplate: %w", err)
			}
			own[key] = rendered
		}
		sets = append(sets, own)
	}
	delete(result, "setTemplate")
	result["set"] = append(sets, listOf(fields["set"])...)
	return result, nil
}

func (h *helmfile) releaseData(st *state, fields map[string]any) map[string]any {
	data := h.data(st.env)
	data["Namespace"] = text(st.fields["namespace"])
	data["Release"] = map[string]any{
		"Name": text(fields["name"]), "Chart": text(fields["chart"]), "Namespace": text(fields["namespace"]),
		"Labels": mapOf(fields["labels"]), "KubeContext": text(fields["kubeContext"]),
		"ChartVersion": text(fields["version"]),
	}
	return data
}

// described says what the release installs, and with which values.
func (h *helmfile) described(st *state, fields map[string]any, one map[string]any) error {
	namespace := named(st, fields, one)
	one["repositories"] = listOf(st.fields["repositories"])
	one["unfollowed"] = unfollowed(st, fields)
	on, err := h.on(st, fields)
	if err != nil {
		return err
	}
	one["on"] = on
	if !on {
		return nil
	}
	if one["chart"] == "" {
		return errors.New("it names no chart")
	}
	values := []string{}
	missing := handler(fields)
	if missing == "Error" {
		missing = handler(st.fields)
	}
	// Values see the namespace that wins.
	data := h.releaseData(st, mergeMaps(fields, map[string]any{"namespace": namespace}))
	for _, entry := range listOf(fields["values"]) {
		content, err := h.releaseValues(st, text(fields["valuesPathPrefix"]), entry, data, missing)
		if err != nil {
			return err
		}
		if strings.Contains(content, "ref+") {
			return errWorld{"its values name secrets by `ref+`, which lie outside of the repository"}
		}
		values = append(values, content)
	}
	one["values"] = values
	one["sets"], err = flags(fields)
	return err
}

// named says which release it is; the helmfile's namespace beats its own.
func named(st *state, fields, one map[string]any) string {
	namespace := text(st.fields["namespace"])
	if namespace == "" {
		namespace = text(fields["namespace"])
	}
	one["name"], one["chart"], one["namespace"] = text(fields["name"]), text(fields["chart"]), namespace
	one["version"], one["folder"] = text(fields["version"]), path.Dir(st.path)
	return namespace
}

func (h *helmfile) releaseValues(
	st *state, prefix string, entry any, data map[string]any, missing string,
) (string, error) {
	if own := mapOf(entry); own != nil {
		return marshalled(own)
	}
	name := prefix + text(entry)
	if strings.Contains(name, "://") || strings.Contains(name, "::") {
		return "", errWorld{fmt.Sprintf("the values %s lie elsewhere", name)}
	}
	found, err := h.expand(path.Dir(st.path), name)
	if err != nil {
		return "", err
	}
	switch {
	case len(found) > 1:
		return "", fmt.Errorf("the pattern %s fits several files, which helmfile refuses for values", name)
	case len(found) == 1:
		return h.rendered(found[0], data)
	case missing == "Error":
		return "", fmt.Errorf("there is no file of values %s", path.Join(path.Dir(st.path), name))
	}
	return "", nil
}

// on tells whether the release is to be installed.
func (h *helmfile) on(st *state, fields map[string]any) (bool, error) {
	for _, field := range []string{"installed", "installedTemplate"} {
		switch value := fields[field].(type) {
		case bool:
			if !value {
				return false, nil
			}
		case string:
			if value != "true" {
				return false, nil
			}
		}
	}
	if value, given := fields["conditionTemplate"]; given {
		return text(value) == "true", nil
	}
	condition := text(fields["condition"])
	switch strings.ToLower(condition) {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	}
	keys := strings.Split(condition, ".")
	if keys[len(keys)-1] != "enabled" {
		return false, fmt.Errorf("its condition %s does not end in .enabled", condition)
	}
	values := st.env.merged()
	for _, key := range keys[:len(keys)-1] {
		if values = mapOf(values[key]); values == nil {
			return false, fmt.Errorf("its condition %s: the environment's values have no %s", condition, key)
		}
	}
	on, _ := values["enabled"].(bool)
	return on, nil
}
