package main

import (
	"fmt"

	"github.com/fluxcd/pkg/envsubst"
)

// substituteAll replaces variables as kustomize-controller does: one that is not there is empty.
func substituteAll(texts []string, variables map[string]string) ([]string, error) {
	results := make([]string, len(texts))
	for number, text := range texts {
		result, err := envsubst.Eval(text, func(name string) (string, bool) {
			return variables[name], true
		})
		if err != nil {
			return nil, fmt.Errorf("%d\x00%w", number, err)
		}
		results[number] = result
	}
	return results, nil
}
