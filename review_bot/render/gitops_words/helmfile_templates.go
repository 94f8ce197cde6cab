package main

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

const maxIncludes = 1000

// data is what templates of a helmfile see.
func (h *helmfile) data(env scope) map[string]any {
	values := env.merged()
	return map[string]any{
		"Environment": map[string]any{
			"Name": h.environment, "KubeContext": "", "Values": env.values, "Defaults": env.defaults,
		},
		"Values": values, "StateValues": values, "Namespace": "", "KubeContext": "", "Chart": "",
	}
}

// read gives a file of the repository.
func (h *helmfile) read(file string) (string, error) {
	h.reads[file] = true
	if content, given := h.files[file]; given {
		return content, nil
	}
	if h.names[file] {
		h.wanted[file] = true
		return "", errWanted
	}
	return "", fmt.Errorf("there is no file %s", file)
}

// rendered gives a file, as a template if its name ends so.
func (h *helmfile) rendered(file string, data map[string]any) (string, error) {
	content, err := h.read(file)
	if err != nil || !strings.HasSuffix(file, ".gotmpl") {
		return content, err
	}
	return h.render(file, content, data)
}

func (h *helmfile) render(file, content string, data map[string]any) (string, error) {
	return h.template(file, content, data, "missingkey=error")
}

func (h *helmfile) template(file, content string, data any, option string) (string, error) {
	if !strings.Contains(content, "{{") {
		return content, nil
	}
	root := template.New(file).Option(option)
	functions := h.functions(path.Dir(file))
	included := map[string]int{}
	functions["include"] = func(name string, data any) (string, error) {
		if included[name]++; included[name] > maxIncludes {
			return "", fmt.Errorf("%s includes itself without end", name)
		}
		defer func() { included[name]-- }()
		var output bounded
		err := root.ExecuteTemplate(&output, name, data)
		return output.String(), err
	}
	functions["tpl"] = func(content string, data any) (string, error) {
		return h.template(file, content, data, option)
	}
	root.Funcs(functions)
	helpers, err := h.expand(path.Dir(file), "_*.tpl")
	if err != nil {
		return "", err
	}
	for _, helper := range helpers {
		content, err := h.read(helper)
		if err != nil {
			return "", err
		}
		if root, err = root.Parse(content); err != nil {
			return "", fmt.Errorf("%s: %w", helper, err)
		}
	}
	if root, err = root.Parse(content); err != nil {
		return "", err
	}
	var output bounded
	if err := root.Execute(&output, data); err != nil {
		return "", err
	}
	return output.String(), nil
}

// expand gives the files and folders that a path or pattern beside a file means, in order.
func (h *helmfile) expand(folder, pattern string) ([]string, error) {
	pattern = path.Join(folder, pattern)
	if strings.HasPrefix(pattern, "../") || strings.HasPrefix(pattern, "/") {
		return nil, fmt.Errorf("%s leaves the repository", pattern)
	}
	h.reads[pattern] = true
	if h.names[pattern] || h.folders[pattern] {
		return []string{pattern}, nil
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return nil, nil
	}
	found := []string{}
	for _, known := range []map[string]bool{h.names, h.folders} {
		for name := range known {
			if matched, err := path.Match(pattern, name); err != nil {
				return nil, fmt.Errorf("%s is no pattern", pattern)
			} else if matched {
				found = append(found, name)
			}
		}
	}
	sort.Strings(found)
	return found, nil
}

func (h *helmfile) functions(folder string) template.FuncMap {
	all := sprig.TxtFuncMap()
	all["sprigGet"] = all["get"]
	world := func(what string) func(...any) (string, error) {
		return func(arguments ...any) (string, error) {
			named := what
			if len(arguments) > 0 {
				named = fmt.Sprintf("%s %v", what, arguments[0])
			}
			return "", errWorld{fmt.Sprintf("a template calls `%s`, and its answer lies outside of the repository", named)}
		}
	}
	for _, name := range strings.Fields("exec envExec requiredEnv fetchSecretValue expandSecretRefs getHostByName now " +
		"ago randBytes randAlphaNum randAlpha randAscii randNumeric randInt uuidv4 genPrivateKey genCA genCAWithKey " +
		"genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey bcrypt htpasswd encryptAES") {
		all[name] = world(name)
	}
	all["env"] = func(name string) string {
		h.unset[name] = true
		return ""
	}
	all["expandenv"] = world("expandenv")
	beside := func(name string) string { return path.Join(folder, name) }
	all["isFile"] = func(name string) bool { h.reads[beside(name)] = true; return h.names[beside(name)] }
	all["isDir"] = func(name string) bool { return h.folders[beside(name)] }
	all["readFile"] = func(name string) (string, error) { return h.read(beside(name)) }
	all["readDir"] = func(name string) ([]string, error) {
		found, err := h.expand(folder, path.Join(name, "*"))
		files := []string{}
		for _, file := range found {
			if h.names[file] {
				files = append(files, path.Join(name, path.Base(file)))
			}
		}
		return files, err
	}
	all["toYaml"], all["fromYaml"] = marshalled, unmarshalled
	all["get"] = get
	all["getOrNil"] = func(where string, value any) any {
		found, err := get(where, value)
		if err != nil {
			return nil
		}
		return found
	}
	all["required"] = func(words string, value any) (any, error) {
		if value == nil || value == "" {
			return nil, errors.New(words)
		}
		return value, nil
	}
	all["setValueAtPath"] = setValueAtPath
	return all
}

// get walks into a value by a path with dots: get PATH [DEFAULT] VALUE.
func get(where string, arguments ...any) (any, error) {
	if len(arguments) == 0 || len(arguments) > 2 {
		return nil, errors.New("get takes a path, perhaps a default, and a value")
	}
	value := arguments[len(arguments)-1]
	if where == "" {
		return value, nil
	}
	for _, key := range strings.Split(where, ".") {
		at := reflect.ValueOf(value)
		if at.Kind() != reflect.Map {
			return nil, fmt.Errorf("get %s: %s is no key of a mapping", where, key)
		}
		found := at.MapIndex(reflect.ValueOf(key))
		if !found.IsValid() {
			if len(arguments) == 2 {
				return arguments[0], nil
			}
			return nil, fmt.Errorf("get %s: there is no %s", where, key)
		}
		value = found.Interface()
	}
	return value, nil
}

func setValueAtPath(where string, value any, values map[string]any) (map[string]any, error) {
	keys := strings.Split(where, ".")
	at := values
	for _, key := range keys[:len(keys)-1] {
		if at = mapOf(at[key]); at == nil {
			return nil, fmt.Errorf("setValueAtPath %s: %s is no mapping", where, key)
		}
	}
	at[keys[len(keys)-1]] = value
	return values, nil
}
