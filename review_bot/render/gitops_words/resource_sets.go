package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	sprig "github.com/go-task/slim-sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

// renderSets gives the documents that a ResourceSet makes of each template with each set of inputs, as flux-operator does:
// the template is YAML, in which `inputs` is a function, and what comes out is parsed. An error names the template by its
// number.
func renderSets(templates []any, inputs []json.RawMessage) ([]any, error) {
	rows := make([]map[string]any, len(inputs))
	for number, data := range inputs {
		row, err := withIntegers(data)
		if err != nil {
			return nil, err
		}
		rows[number] = row
	}
	results := []any{}
	for number, wanted := range templates {
		text, isText := wanted.(string)
		if !isText {
			data, err := yaml.Marshal(wanted)
			if err != nil {
				return nil, fmt.Errorf("%d\x00%w", number, err)
			}
			text = string(data)
		}
		for _, row := range rows {
			documents, err := renderSet(text, row)
			if err != nil {
				return nil, fmt.Errorf("%d\x00%w", number, err)
			}
			results = append(results, documents...)
		}
	}
	return results, nil
}

func renderSet(text string, inputs map[string]any) ([]any, error) {
	given := template.FuncMap{"inputs": func() any { return inputs }}
	parsed, err := template.New("resources").Delims("<<", ">>").Funcs(setFunctions).Funcs(given).
		Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	var output bounded
	if err := parsed.Execute(&output, nil); err != nil {
		return nil, err
	}
	var documents []any
	for _, part := range strings.Split("\n"+output.String(), "\n---") {
		var document any
		if err := yaml.Unmarshal([]byte(part), &document); err != nil {
			return nil, err
		}
		if document != nil {
			documents = append(documents, document)
		}
	}
	return documents, nil
}

// setFunctions are those of flux-operator, which differ from Argo CD's of the same names.
var setFunctions = func() template.FuncMap {
	all := sprig.HermeticTxtFuncMap()
	all["slugify"] = func(name string) string {
		slug.EnableSmartTruncate, slug.MaxLength, slug.CustomRuneSub = true, 63, nil
		return slug.Make(name)
	}
	all["mustToYaml"] = mustToYaml
	all["toYaml"] = func(value any) string {
		text, _ := mustToYaml(value)
		return text
	}
	return all
}()

func mustToYaml(value any) (string, error) {
	data, err := yaml.Marshal(value)
	return string(data), err
}

// withIntegers reads an object whose whole numbers are integers, as Kubernetes reads it.
func withIntegers(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	for key, value := range object {
		object[key] = numbered(value)
	}
	return object, nil
}

func numbered(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			value[key] = numbered(item)
		}
	case []any:
		for index, item := range value {
			value[index] = numbered(item)
		}
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		fraction, _ := value.Float64()
		return fraction
	}
	return value
}
