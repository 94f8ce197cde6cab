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

// valuesFrom is one of the sources of a HelmRelease's values: some, or one for a path in the language of helm's --set, which
// `literal` takes verbatim.
type valuesFrom struct {
	Values  map[string]any `json:"values"`
	Path    string         `json:"path"`
	Value   string         `json:"value"`
	Literal bool           `json:"literal"`
}

// composeValues puts a HelmRelease's values together as helm-controller does: each source over those before it, and the
// release's own over all of them. The own ones are merged in front of a value with a path too, so that it goes over them
// in place; but they are merged once more in the end, so that it stays only where it went into a map of theirs.
func composeValues(own map[string]any, sources []valuesFrom) (map[string]any, error) {
	values := map[string]any{}
	for _, source := range sources {
		if source.Path == "" {
			values = merged(values, source.Values)
			continue
		}
		values = merged(values, own)
		if err := source.setIn(values); err != nil {
			return nil, fmt.Errorf("%s\x00%w", source.Path, err)
		}
	}
	return merged(values, own), nil
}

var verbatim = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)

func (v valuesFrom) setIn(values map[string]any) error {
	switch {
	case v.Literal:
		return strvals.ParseIntoString(v.Path+"="+verbatim.Replace(v.Value), values)
	case quoted(v.Value, "'"), quoted(v.Value, `"`):
		return strvals.ParseIntoString(v.Path+"="+strings.Trim(v.Value, `'"`), values)
	}
	return strvals.ParseInto(v.Path+"="+v.Value, values)
}

// merged is a new map with what is in both; maps in it are merged too where both have one, and else shared.
func merged(one, other map[string]any) map[string]any {
	result := make(map[string]any, len(one)+len(other))
	for key, value := range one {
		result[key] = value
	}
	for key, value := range other {
		known, isKnown := result[key].(map[string]any)
		further, isMap := value.(map[string]any)
		if isKnown && isMap {
			value = merged(known, further)
		}
		result[key] = value
	}
	return result
}

func quoted(text, mark string) bool {
	return strings.HasPrefix(text, mark) && strings.HasSuffix(text, mark)
}
