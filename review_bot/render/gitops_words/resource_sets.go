package main

import (
	"fmt"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

// renderSets gives the documents that a ResourceSet makes of each template with each set of inputs, as flux-operator does:
// the template is YAML, in which `inputs` is a function, and what comes out is parsed. An error names the template by its
// number.
func renderSets(templates []any, inputs []map[string]any) ([]any, error) {
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
		for _, row := range inputs {
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
	parsed, err := template.New("resources").Delims("<<", ">>").Funcs(functions).Funcs(given).
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
