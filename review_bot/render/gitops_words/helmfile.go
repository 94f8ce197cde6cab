package main

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
)

// The most helmfiles that one evaluation reads, so that those that name each other end.
const maxHelmfiles = 500

// helmfile is one evaluation of a helmfile in one environment, of files that are given and nothing else. What it would
// need to read and was not given is in `wanted`: then it is asked again with that. `said` are problems in words.
type helmfile struct {
	files       map[string]string
	names       map[string]bool
	folders     map[string]bool
	environment string
	root        string

	reads        map[string]bool
	wanted       map[string]bool
	unset        map[string]bool
	environments map[string]bool
	releases     []map[string]any
	said         []problem
	loaded       int
}

// problem is said at a file; `world`: it needs what is not in the repository.
type problem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	World   bool   `json:"world"`
}

// errWorld is what a template asks of the world around the repository.
type errWorld struct{ what string }

func (e errWorld) Error() string { return e.what }

var errWanted = errors.New("a file is not given yet")

// scope is the values of an environment as they grow from part to part of a helmfile.
type scope struct{ defaults, values map[string]any }

func (s scope) merged() map[string]any {
	return mergeMaps(mergeMaps(map[string]any{}, s.defaults), s.values)
}

// state is a helmfile, its parts and bases put together.
type state struct {
	path   string
	fields map[string]any
	env    scope
}

func evaluateHelmfile(wanted request) (any, error) {
	h := &helmfile{
		files: wanted.Files, names: map[string]bool{}, folders: map[string]bool{".": true},
		environment: wanted.Environment, root: wanted.Path, reads: map[string]bool{}, wanted: map[string]bool{},
		unset: map[string]bool{}, environments: map[string]bool{},
	}
	for _, name := range wanted.Names {
		h.names[name] = true
		for folder := path.Dir(name); folder != "." && !h.folders[folder]; folder = path.Dir(folder) {
			h.folders[folder] = true
		}
	}
	h.visit(wanted.Path, scope{}, scope{}, nil, 0)
	return map[string]any{
		"wanted": sorted(h.wanted), "reads": sorted(h.reads), "unset": sorted(h.unset),
		"environments": sorted(h.environments), "releases": h.releases, "problems": h.said,
	}, nil
}

func sorted(set map[string]bool) []string {
	found := make([]string, 0, len(set))
	for name := range set {
		found = append(found, name)
	}
	sort.Strings(found)
	return found
}

func (h *helmfile) say(file string, err error) {
	if errors.Is(err, errWanted) {
		return
	}
	var world errWorld
	h.said = append(h.said, problem{file, err.Error(), errors.As(err, &world)})
}

// visit reads a helmfile, its releases, and the helmfiles that it names.
func (h *helmfile) visit(file string, inherited, given scope, selectors []string, depth int) {
	if h.loaded++; h.loaded > maxHelmfiles || depth > 20 {
		h.say(file, errors.New("helmfiles name each other without end"))
		return
	}
	st, err := h.load(file, inherited, given, true)
	if err != nil {
		h.say(file, err)
		return
	}
	declared := mapOf(st.fields["environments"])
	if _, known := declared[h.environment]; !known && h.environment != "default" {
		// Helmfile passes by a file that does not know the environment.
		if len(declared) > 0 || (inherited.values == nil && given.values == nil) {
			return
		}
	}
	h.release(st, selectors)
	for _, entry := range listOf(st.fields["helmfiles"]) {
		h.follow(st, entry, depth)
	}
}

func (h *helmfile) follow(st *state, entry any, depth int) {
	fields, name := mapOf(entry), text(entry)
	if fields != nil {
		name = text(fields["path"])
	}
	if strings.Contains(name, "://") || strings.Contains(name, "::") {
		h.say(st.path, errWorld{fmt.Sprintf("the helmfile %s lies elsewhere", name)})
		return
	}
	found, err := h.expand(path.Dir(st.path), name)
	if err != nil {
		h.say(st.path, err)
		return
	}
	if len(found) == 0 && handler(st.fields) == "Error" {
		h.say(st.path, fmt.Errorf("no helmfile matches %s", name))
	}
	given, err := h.values(st, listOf(fields["values"]), st.env, "Error")
	if err != nil {
		h.say(st.path, err)
		return
	}
	var own, inherited scope
	if len(given) > 0 {
		own.values = given
	}
	for _, what := range listOf(fields["inherits"]) {
		if text(what) == "environments" {
			inherited = st.env
		}
	}
	selectors := []string{}
	for _, one := range listOf(fields["selectors"]) {
		selectors = append(selectors, text(one))
	}
	for _, match := range found {
		// A folder holds its helmfiles in files.
		for _, file := range h.helmfilesIn(match) {
			h.visit(file, inherited, own, selectors, depth+1)
		}
	}
}

func (h *helmfile) helmfilesIn(match string) []string {
	if !h.folders[match] {
		return []string{match}
	}
	for _, name := range []string{"helmfile.yaml", "helmfile.yaml.gotmpl"} {
		if file := path.Join(match, name); h.names[file] {
			return []string{file}
		}
	}
	found, _ := h.expand(match, "*.y*ml*")
	return found
}

// load reads one helmfile, part by part: each sees the values of those before it.
func (h *helmfile) load(file string, inherited, given scope, withBases bool) (*state, error) {
	content, err := h.read(file)
	if err != nil {
		return nil, err
	}
	final := &state{path: file, fields: map[string]any{}, env: scope{
		mergeMaps(inherited.defaults, given.defaults), mergeMaps(inherited.values, given.values),
	}}
	lines := 0
	for _, part := range strings.Split(strings.ReplaceAll(content, "\r\n", "\n"), "\n---\n") {
		// Errors name the line of the whole file.
		fields, err := h.part(final, strings.Repeat("\n", lines)+part)
		lines += strings.Count(part, "\n") + 2
		if err != nil {
			return nil, err
		}
		if fields, err = h.withBases(final, fields, withBases); err != nil {
			return nil, err
		}
		if file == h.root && withBases {
			for name := range mapOf(fields["environments"]) {
				h.environments[name] = true
			}
		}
		if err := h.environ(final, fields, given); err != nil {
			return nil, err
		}
		// A later part wins; its lists replace those before it.
		final.fields = mergeParts(final.fields, fields)
	}
	return final, nil
}

// part gives the fields of a part of a helmfile. What is no `.gotmpl` is a template too where it is no YAML without:
// so it was before helmfile 1.
func (h *helmfile) part(st *state, content string) (map[string]any, error) {
	if !strings.HasSuffix(st.path, ".gotmpl") {
		fields, err := parsed(content)
		if err == nil || !strings.Contains(content, "{{") {
			return fields, err
		}
	}
	rendered, err := h.render(st.path, content, h.data(st.env))
	if err != nil && !errors.As(err, new(errWorld)) && !errors.Is(err, errWanted) {
		// Before helmfile 1 a part saw its own environments: a first pass found them.
		if own := h.firstPass(st, content); own != nil {
			rendered, err = h.render(st.path, content, h.data(*own))
		}
	}
	if err != nil {
		return nil, err
	}
	return parsed(rendered)
}

func (h *helmfile) firstPass(st *state, content string) *scope {
	rendered, err := h.template(st.path, content, h.data(st.env), "missingkey=zero")
	if err != nil {
		return nil
	}
	fields, err := parsed(rendered)
	if err != nil {
		return nil
	}
	probe := &state{path: st.path, fields: map[string]any{}, env: st.env}
	if fields, err = h.withBases(probe, fields, true); err != nil || h.environ(probe, fields, scope{}) != nil {
		return nil
	}
	return &probe.env
}

// withBases puts the bases of a part below it: their lists come first, and the part's own fields win.
func (h *helmfile) withBases(st *state, fields map[string]any, allowed bool) (map[string]any, error) {
	bases := listOf(fields["bases"])
	if len(bases) > 0 && !allowed {
		return nil, errors.New("a base can't have bases")
	}
	layers := []map[string]any{}
	for _, base := range bases {
		name := text(base)
		if strings.Contains(name, "://") || strings.Contains(name, "::") {
			return nil, errWorld{fmt.Sprintf("the base %s lies elsewhere", name)}
		}
		if h.loaded++; h.loaded > maxHelmfiles {
			return nil, errors.New("there are too many bases")
		}
		loaded, err := h.load(path.Join(path.Dir(st.path), name), st.env, scope{}, false)
		if err != nil {
			return nil, fmt.Errorf("base %s: %w", name, err)
		}
		layers = append(layers, loaded.fields)
	}
	result := map[string]any{}
	for _, layer := range append(layers, fields) {
		result = mergeLayers(result, layer)
	}
	delete(result, "bases")
	return result, nil
}
