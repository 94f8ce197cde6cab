package main

import (
	"fmt"
	"strings"
)

// flags are helm's words for what a release sets by name.
func flags(fields map[string]any) ([]string, error) {
	words := []string{}
	for _, kind := range [][2]string{{"set", "--set"}, {"setString", "--set-string"}} {
		for _, entry := range listOf(fields[kind[0]]) {
			own := mapOf(entry)
			name, value := escapedForSet(text(own["name"])), text(own["value"])
			items := []string{}
			for _, item := range listOf(own["values"]) {
				items = append(items, escapedForSet(text(item)))
			}
			switch {
			case strings.HasPrefix(value, "ref+"):
				return nil, errWorld{"it sets a secret by `ref+`, which lies outside of the repository"}
			case value != "":
				words = append(words, kind[1], name+"="+escapedForSet(value))
			case len(items) > 0:
				words = append(words, kind[1], name+"={"+strings.Join(items, ",")+"}")
			case text(own["file"]) != "":
				return nil, errWorld{fmt.Sprintf("it sets %s from a file, which is not followed", text(own["name"]))}
			}
		}
	}
	return words, nil
}

func escapedForSet(value string) string {
	for _, mark := range []string{",", "{", "}"} {
		value = strings.ReplaceAll(value, mark, `\`+mark)
	}
	return value
}

// unfollowed names what of a release changes its objects in ways that are not evaluated.
func unfollowed(st *state, fields map[string]any) []string {
	found := []string{}
	for _, field := range strings.Fields("secrets env dependencies jsonPatches strategicMergePatches transformers " +
		"postRenderer forceNamespace") {
		if value := fields[field]; value != nil && len(listOf(value)) > 0 || text(value) != "" {
			found = append(found, field)
		}
	}
	for _, hook := range append(append([]any{}, listOf(fields["hooks"])...), listOf(st.fields["hooks"])...) {
		if events := fmt.Sprint(mapOf(hook)["events"]); strings.Contains(events, "prepare") {
			found = append(found, "hooks that prepare the chart")
			break
		}
	}
	if text(mapOf(st.fields["helmDefaults"])["postRenderer"]) != "" {
		found = append(found, "postRenderer")
	}
	return found
}

// selected tells whether the release fits one of the selectors; without any, it does.
func selected(fields map[string]any, selectors []string) (bool, error) {
	labels := map[string]string{
		"name": text(fields["name"]), "namespace": text(fields["namespace"]), "chart": text(fields["chart"]),
	}
	for name, value := range mapOf(fields["labels"]) {
		labels[name] = text(value)
	}
	for _, selector := range selectors {
		fits := true
		for _, term := range strings.Split(selector, ",") {
			name, value, found := strings.Cut(term, "=")
			if !found {
				return false, fmt.Errorf("the selector %s is none", selector)
			}
			if wanted := !strings.HasSuffix(name, "!"); (labels[strings.TrimSuffix(name, "!")] == value) != wanted {
				fits = false
			}
		}
		if fits {
			return true, nil
		}
	}
	return len(selectors) == 0, nil
}
