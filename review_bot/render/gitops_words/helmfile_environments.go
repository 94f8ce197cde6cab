package main

import (
	"fmt"
	"path"
)

// environ adds the values of the environment, and the defaults, that a part declares.
func (h *helmfile) environ(st *state, fields map[string]any, given scope) error {
	spec := mapOf(mapOf(fields["environments"])[h.environment])
	if len(listOf(spec["secrets"])) > 0 {
		return errWorld{"the environment has secrets, which only its keys open"}
	}
	missing := handler(spec)
	if missing == "Error" {
		missing = handler(fields)
	}
	probe := &state{path: st.path, fields: fields, env: st.env}
	values, err := h.values(probe, listOf(spec["values"]), st.env, missing)
	if err != nil {
		return err
	}
	defaults, err := h.values(probe, listOf(fields["values"]), st.env, handler(fields))
	if err != nil {
		return err
	}
	st.env = scope{mergeMaps(st.env.defaults, defaults), mergeMaps(mergeMaps(st.env.values, values), given.values)}
	return nil
}

// values puts files and mappings of values together, the later ones winning.
func (h *helmfile) values(st *state, entries []any, env scope, missing string) (map[string]any, error) {
	result := map[string]any{}
	for _, entry := range entries {
		if own := mapOf(entry); own != nil {
			result = overlaid(result, own)
			continue
		}
		found, err := h.expand(path.Dir(st.path), text(entry))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && missing == "Error" {
			return nil, fmt.Errorf("there is no file of values %s", path.Join(path.Dir(st.path), text(entry)))
		}
		for _, file := range found {
			content, err := h.rendered(file, h.data(env))
			if err != nil {
				return nil, err
			}
			own, err := parsed(content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			result = overlaid(result, own)
		}
	}
	return result, nil
}

func handler(fields map[string]any) string {
	if own := text(fields["missingFileHandler"]); own != "" {
		return own
	}
	return "Error"
}
