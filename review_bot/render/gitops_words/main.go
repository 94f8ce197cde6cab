// Gitops-words speaks the small languages that delivery tools take from Go: text/template with sprig (Argo CD's
// ApplicationSets, Flux's ResourceSets), the variables of Flux's postBuild, helm's way to set values, jsonnet, Terraform's
// HCL, and helmfiles. Each is the library that the tool itself uses; helmfile's own rules are written anew here, since
// helmfile reaches for the network, the environment and the machine.
//
// A request is a line of JSON on stdin; the answer on stdout is a line `ok SIZE` or `error SIZE` and SIZE bytes: JSON, or
// what the library says. It is meant to run in a sandbox, for what it is asked to evaluate may be hostile.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// greeting is the first line of output. The number changes with what is asked and answered, and so does the version that
// the bot installs (review_bot/core/tools.py): a program that speaks otherwise is not used.
const greeting = "gitops-words 31\n"

const memoryBudget = 512 << 20

// request asks for one operation; each has its own fields.
type request struct {
	Operation string `json:"operation"`

	// template
	Template   any              `json:"template"`
	Parameters []map[string]any `json:"parameters"`
	Options    []string         `json:"options"`
	Delimiters []string         `json:"delimiters"`

	// substitute
	Values    []any             `json:"values"`
	Variables map[string]string `json:"variables"`

	// compose
	Object  map[string]any `json:"object"`
	Sources []valuesFrom   `json:"sources"`

	// resources
	Templates []any             `json:"templates"`
	Inputs    []json.RawMessage `json:"inputs"`

	// helmfile, with path and files as below
	Environment string   `json:"environment"`
	Names       []string `json:"names"`

	// jsonnet
	Path      string            `json:"path"`
	Files     map[string]string `json:"files"`
	Libraries []string          `json:"libraries"`
	External  []jsonnetVariable `json:"external"`
	TopLevel  []jsonnetVariable `json:"top_level"`

	// hcl, with path
	Text string `json:"text"`
}

func main() {
	debug.SetMemoryLimit(memoryBudget)
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gitops-words:", err)
		os.Exit(1)
	}
}

func serve(requests io.Reader, answers io.Writer) error {
	reader, writer := bufio.NewReader(requests), bufio.NewWriter(answers)
	if _, err := io.WriteString(answers, greeting); err != nil {
		return err
	}
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF && len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		status, output := "ok", []byte(nil)
		if output, err = answer(line); err != nil {
			status, output = "error", []byte(err.Error())
		}
		fmt.Fprintf(writer, "%s %d\n", status, len(output))
		if _, err := writer.Write(output); err != nil {
			return err
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}

func answer(line []byte) ([]byte, error) {
	var wanted request
	decoder := json.NewDecoder(bytes.NewReader(line))
	if err := decoder.Decode(&wanted); err != nil {
		return nil, err
	}
	var result any
	var err error
	switch wanted.Operation {
	case "template":
		result, err = renderAll(wanted)
	case "substitute":
		result, err = substituteAll(wanted.Values, wanted.Variables)
	case "compose":
		result, err = composeValues(wanted.Object, wanted.Sources)
	case "resources":
		result, err = renderSets(wanted.Templates, wanted.Inputs)
	case "helmfile":
		result, err = evaluateHelmfile(wanted)
	case "jsonnet":
		result, err = evaluate(wanted)
	case "hcl":
		result = readHCL(wanted.Text, wanted.Path)
	default:
		err = fmt.Errorf("there is no operation %q", wanted.Operation)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}
