package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

// maxOutput bounds what one string may become: a template can write without end.
const maxOutput = 4 << 20

var errTooMuch = errors.New("the template writes more than 4 MiB")

// renderer keeps parsed templates: the same strings are rendered for every set of parameters.
type renderer struct {
	left, right string
	options     []string
	parsed      map[string]*template.Template
}

// renderAll gives the template once for each set of parameters. An error names the set by its number.
func renderAll(wanted request) ([]any, error) {
	words := &renderer{"{{", "}}", wanted.Options, map[string]*template.Template{}}
	if len(wanted.Delimiters) == 2 {
		words.left, words.right = wanted.Delimiters[0], wanted.Delimiters[1]
	}
	for _, option := range wanted.Options {
		if !strings.HasPrefix(option, "missingkey=") {
			return nil, fmt.Errorf("%q is not an option of Go templates", option)
		}
	}
	results := make([]any, len(wanted.Parameters))
	for number, parameters := range wanted.Parameters {
		for key, value := range parameters {
			parameters[key] = typed(value)
		}
		result, err := words.render(wanted.Template, parameters)
		if err != nil {
			return nil, err
		}
		results[number] = result
	}
	return results, nil
}

// texts marks a mapping or list that is map[string]string or []string for templates: of what is not in it they get "".
const texts = "\x00texts"

func typed(value any) any {
	switch value := value.(type) {
	case []any:
		for index, item := range value {
			value[index] = typed(item)
		}
	case map[string]any:
		switch marked := value[texts].(type) {
		case map[string]any:
			pairs := make(map[string]string, len(marked))
			for key, item := range marked {
				pairs[key] = fmt.Sprint(item)
			}
			return pairs
		case []any:
			list := make([]string, len(marked))
			for index, item := range marked {
				list[index] = fmt.Sprint(item)
			}
			return list
		}
		for key, item := range value {
			value[key] = typed(item)
		}
	}
	return value
}

func (r *renderer) render(value any, parameters map[string]any) (any, error) {
	switch value := value.(type) {
	case string:
		return r.text(value, parameters)
	case []any:
		list := make([]any, len(value))
		for index, item := range value {
			rendered, err := r.render(item, parameters)
			if err != nil {
				return nil, err
			}
			list[index] = rendered
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(value))
		for key, item := range value {
			name, err := r.text(key, parameters)
			if err != nil {
				return nil, err
			}
			rendered, err := r.render(item, parameters)
			if err != nil {
				return nil, err
			}
			object[name] = rendered
		}
		return object, nil
	}
	return value, nil
}

func (r *renderer) text(text string, parameters map[string]any) (string, error) {
	if !strings.Contains(text, r.left) {
		return text, nil
	}
	parsed, known := r.parsed[text]
	if !known {
		var err error
		parsed, err = template.New("").Delims(r.left, r.right).Funcs(functions).Option(r.options...).Parse(text)
		if err != nil {
			return "", fmt.Errorf("%s: %s", strings.TrimPrefix(err.Error(), "template: :"), shortened(text))
		}
		r.parsed[text] = parsed
	}
	var output bounded
	if err := parsed.Execute(&output, parameters); err != nil {
		return "", fmt.Errorf("%s: %s", strings.TrimPrefix(err.Error(), "template: :"), shortened(text))
	}
	return output.String(), nil
}

func shortened(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}

// bounded is a buffer that is full at some time.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(data []byte) (int, error) {
	if b.Len()+len(data) > maxOutput {
		return 0, errTooMuch
	}
	return b.Buffer.Write(data)
}

var functions = func() template.FuncMap {
	all := sprig.GenericFuncMap()
	// They would tell of the machine, or ask the network.
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(all, name)
	}
	all["normalize"] = normalize
	all["slugify"] = slugify
	all["toYaml"] = toYaml
	all["fromYaml"] = func(text string) (map[string]any, error) {
		value := map[string]any{}
		return value, yaml.Unmarshal([]byte(text), &value)
	}
	all["fromYamlArray"] = func(text string) ([]any, error) {
		value := []any{}
		return value, yaml.Unmarshal([]byte(text), &value)
	}
	return all
}()

func toYaml(value any) (string, error) {
	data, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(data), "\n"), err
}

var notInNames = regexp.MustCompile(`[^-a-z0-9.]`)

// normalize makes a DNS subdomain name of a text.
func normalize(name string) string {
	name = notInNames.ReplaceAllString(strings.ToLower(name), "-")
	if len(name) > 253 {
		name = name[:253]
	}
	return strings.Trim(name, "-.")
}

// slugify takes the longest length (50) and whether to end at a word (no), both of which may be left out, and the name.
func slugify(arguments ...any) (string, error) {
	length, atWord := 50, false
	if len(arguments) == 0 {
		return "", errors.New("slugify needs a name")
	}
	name, isText := arguments[len(arguments)-1].(string)
	if !isText {
		return "", errors.New("slugify's last argument is the name")
	}
	if len(arguments) > 1 {
		given, isNumber := arguments[0].(int)
		if !isNumber {
			return "", errors.New("slugify's first argument is the longest length")
		}
		length = given
	}
	if len(arguments) > 2 {
		given, isTruth := arguments[1].(bool)
		if !isTruth {
			return "", errors.New("slugify's second argument is true or false")
		}
		atWord = given
	}
	slug.EnableSmartTruncate, slug.MaxLength = atWord, length
	slug.CustomRuneSub = map[rune]string{'_': "-"}
	return slug.Make(name), nil
}
