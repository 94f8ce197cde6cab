package main

import (
	"encoding/json"
	"fmt"
	"path"

	"github.com/google/go-jsonnet"
)

type jsonnetVariable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Code  bool   `json:"code"`
}

// evaluate gives the JSON of a jsonnet file. It sees the files that are handed over with it and no others.
func evaluate(wanted request) (any, error) {
	machine := jsonnet.MakeVM()
	machine.Importer(&importer{wanted.Files, wanted.Libraries, map[string]jsonnet.Contents{}})
	for _, one := range wanted.External {
		if one.Code {
			machine.ExtCode(one.Name, one.Value)
		} else {
			machine.ExtVar(one.Name, one.Value)
		}
	}
	for _, one := range wanted.TopLevel {
		if one.Code {
			machine.TLACode(one.Name, one.Value)
		} else {
			machine.TLAVar(one.Name, one.Value)
		}
	}
	output, err := machine.EvaluateFile(wanted.Path)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(output), nil
}

// importer finds a file beside the one that imports it, then in the libraries' folders.
type importer struct {
	files     map[string]string
	libraries []string
	known     map[string]jsonnet.Contents
}

func (i *importer) Import(from, wanted string) (jsonnet.Contents, string, error) {
	for _, folder := range append([]string{path.Dir(from)}, i.libraries...) {
		place := path.Join(folder, wanted)
		if contents, known := i.known[place]; known {
			return contents, place, nil
		}
		if text, there := i.files[place]; there {
			i.known[place] = jsonnet.MakeContents(text)
			return i.known[place], place, nil
		}
	}
	if from == "" {
		return jsonnet.Contents{}, "", fmt.Errorf("there is no file %s", wanted)
	}
	return jsonnet.Contents{}, "", fmt.Errorf("there is no file %s beside %s", wanted, from)
}
