// Kustomize-batch builds kustomizations one after another in one process, so that starting up and reading Kubernetes'
// schema is paid for once and not for each overlay. It is kustomize's own library and nothing more: what it answers is
// what `kustomize build` of the same version writes, to the byte.
//
// It serves several checkouts. Each is seen at /repo, as it would be in a sandbox of its own, and none sees another.
//
// A request is a line of JSON on stdin; the answer on stdout is a line `ok SIZE` or `error SIZE` and SIZE bytes of
// manifests or of what kustomize says. It is serial on purpose: kustomize keeps a schema in global variables, so two
// builds at once would see each other's.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// greeting is the first line of output. The number changes with what is asked and answered, and so does the version that
// the bot installs (review_bot/core/tools.py): a program that speaks otherwise is not used.
const greeting = "kustomize-batch 5\n"

// One build's garbage is seldom worth collecting; near the limit of the sandbox's memory it is.
const (
	lazyCollection = 800
	memoryBudget   = 512 << 20
)

// request names a folder below /repo of the checkout that lies at At; Content, if given, is read in place of the file
// Entry. Unrestricted: files above the folder may be read, as Flux does.
type request struct {
	At      string  `json:"at"`
	Path    string  `json:"path"`
	Entry   string  `json:"entry"`
	Content *string `json:"content"`

	Unrestricted bool `json:"unrestricted"`
}

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, asHelm(os.Args[1:]))
		os.Exit(1)
	}
	debug.SetGCPercent(lazyCollection)
	debug.SetMemoryLimit(memoryBudget)
	answers := os.Stdout
	// Nothing that the library prints may look like an answer.
	os.Stdout = os.Stderr
	if err := serve(os.Stdin, answers); err != nil {
		fmt.Fprintln(os.Stderr, "kustomize-batch:", err)
		os.Exit(1)
	}
}

func serve(requests io.Reader, answers io.Writer) error {
	reader, writer := bufio.NewReader(requests), bufio.NewWriter(answers)
	if _, err := io.WriteString(answers, greeting); err != nil {
		return err
	}
	standard := openapi.GetSchemaVersion()
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF && len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var wanted request
		if err := json.Unmarshal(line, &wanted); err != nil {
			return err
		}
		status := "ok"
		output, err := build(wanted)
		if err != nil {
			status, output = "error", []byte(strings.ReplaceAll(err.Error(), wanted.At, checkout))
		}
		// A schema that this build brought along must not decide about the next one.
		if openapi.GetSchemaVersion() != standard {
			openapi.ResetOpenAPI()
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

// build does what kustomize's own command does with its default flags, or with --load-restrictor LoadRestrictionsNone.
func build(wanted request) ([]byte, error) {
	var files filesys.FileSystem = relocated{filesys.MakeFsOnDisk(), wanted.At}
	if wanted.Content != nil {
		files = replaced{files, filepath.Clean(wanted.Entry), []byte(*wanted.Content)}
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	if wanted.Unrestricted {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	resources, err := krusty.MakeKustomizer(options).Run(files, wanted.Path)
	if err != nil {
		return nil, err
	}
	return resources.AsYaml()
}
