package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

var variableName = regexp.MustCompile(`^[_[:alpha:]][_[:alpha:][:digit:]]*$`)

// substituteAll replaces variables as kustomize-controller does: each value is written as YAML, in which one that is not
// there is empty, and parsed again. An error names the value by its number.
func substituteAll(values []any, variables map[string]string) ([]any, error) {
	for name := range variables {
		if !variableName.MatchString(name) {
			return nil, fmt.Errorf("%q is no name of a variable", name)
		}
	}
	results := make([]any, len(values))
	for number, value := range values {
		data, err := yaml.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("%d\x00%w", number, err)
		}
		text, err := envsubst.Eval(string(data), func(name string) (string, bool) {
			return variables[name], true
		})
		if err != nil {
			return nil, fmt.Errorf("%d\x00%w", number, err)
		}
		if err := yaml.Unmarshal([]byte(text), &results[number]); err != nil {
			return nil, fmt.Errorf("%d\x00after the substitution it is no YAML any more: %w", number, err)
		}
	}
	return results, nil
}

// assignment is a value for a path in the language of helm's --set, or verbatim as with --set-literal.
type assignment struct {
	Path    string `json:"path"`
	Value   string `json:"value"`
	Literal bool   `json:"literal"`
}

// assignAll sets values as helm-controller does for a targetPath: what stands in quotes is a text.
func assignAll(values map[string]any, assignments []assignment) (map[string]any, error) {
	if values == nil {
		values = map[string]any{}
	}
	for _, wanted := range assignments {
		set, value := strvals.ParseInto, wanted.Value
		switch {
		case wanted.Literal:
			set = strvals.ParseLiteralInto
		case quoted(value, "'"), quoted(value, `"`):
			set, value = strvals.ParseIntoString, strings.Trim(value, `'"`)
		}
		if err := set(wanted.Path+"="+value, values); err != nil {
			return nil, fmt.Errorf("%s\x00%w", wanted.Path, err)
		}
	}
	return values, nil
}

func quoted(text, mark string) bool {
	return strings.HasPrefix(text, mark) && strings.HasSuffix(text, mark)
}
