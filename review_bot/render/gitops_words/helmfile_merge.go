package main

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// unmarshalled reads YAML as helmfile does, which takes `no` for a word; keys are texts.
func unmarshalled(content string) (any, error) {
	var value any
	if err := yaml.Unmarshal([]byte(content), &value); err != nil {
		return nil, err
	}
	return keyed(value), nil
}

func parsed(content string) (map[string]any, error) {
	value, err := unmarshalled(content)
	if err != nil {
		return nil, err
	}
	fields := mapOf(value)
	if fields == nil && value != nil {
		return nil, fmt.Errorf("a mapping is expected, and not %T", value)
	}
	if fields == nil {
		fields = map[string]any{}
	}
	return fields, nil
}

func marshalled(value any) (string, error) {
	var output bytes.Buffer
	encoder := yaml.NewEncoder(&output)
	encoder.SetIndent(2)
	err := encoder.Encode(value)
	return output.String(), err
}

func keyed(value any) any {
	switch value := value.(type) {
	case map[any]any:
		result := make(map[string]any, len(value))
		for key, item := range value {
			result[fmt.Sprint(key)] = keyed(item)
		}
		return result
	case map[string]any:
		for key, item := range value {
			value[key] = keyed(item)
		}
	case []any:
		for index, item := range value {
			value[index] = keyed(item)
		}
	}
	return value
}

func mapOf(value any) map[string]any {
	found, _ := value.(map[string]any)
	return found
}

func listOf(value any) []any {
	found, _ := value.([]any)
	return found
}

func text(value any) string {
	switch value := value.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return value
	default:
		return fmt.Sprint(value)
	}
}

// mergeMaps puts one over the other as helmfile merges environments: an empty value changes nothing that is there, and a
// list replaces another, unless it has gaps.
func mergeMaps(one, other map[string]any) map[string]any {
	result := make(map[string]any, len(one))
	for key, value := range one {
		result[key] = value
	}
	for key, value := range other {
		known, exists := result[key]
		switch {
		case value == nil && exists:
		case mapOf(value) != nil && mapOf(known) != nil:
			result[key] = mergeMaps(mapOf(known), mapOf(value))
		case listOf(value) != nil && listOf(known) != nil:
			result[key] = mergeLists(listOf(known), listOf(value))
		default:
			result[key] = value
		}
	}
	return result
}

func mergeLists(one, other []any) []any {
	gaps := false
	for _, item := range other {
		gaps = gaps || item == nil
	}
	if !gaps {
		return other
	}
	result := append([]any{}, one...)
	for index, item := range other {
		switch {
		case index >= len(result):
			result = append(result, item)
		case item == nil:
		case mapOf(item) != nil && mapOf(result[index]) != nil:
			result[index] = mergeMaps(mapOf(result[index]), mapOf(item))
		default:
			result[index] = item
		}
	}
	return result
}

// overlaid puts a file of values over those before it, as mergo does with override: a list replaces another, and
// what is empty counts too.
func overlaid(one, other map[string]any) map[string]any { return laidOver(one, other, false, true) }

// mergeParts puts a later part of a helmfile over those before it: of its fields those count that are not empty.
func mergeParts(one, other map[string]any) map[string]any { return laidOver(one, other, false, false) }

// mergeLayers puts a helmfile over its bases: lists are joined.
func mergeLayers(one, other map[string]any) map[string]any { return laidOver(one, other, true, false) }

func laidOver(one, other map[string]any, join, empties bool) map[string]any {
	result := make(map[string]any, len(one))
	for key, value := range one {
		result[key] = value
	}
	for key, value := range other {
		known, exists := result[key]
		switch {
		case mapOf(value) != nil && mapOf(known) != nil:
			result[key] = laidOver(mapOf(known), mapOf(value), join, empties)
		case listOf(value) != nil && listOf(known) != nil:
			switch {
			case join:
				result[key] = append(append([]any{}, listOf(known)...), listOf(value)...)
			case empties || len(listOf(value)) > 0:
				result[key] = value
			}
		case exists && !empties && empty(value):
		default:
			result[key] = value
		}
	}
	return result
}

func empty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case bool:
		return !value
	case int:
		return value == 0
	}
	return false
}
