package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// helm is where the sandbox has it; outside of one the environment names it.
const (
	helm         = "/helm"
	helmVariable = "REVIEW_BOT_HELM"
)

// asHelm stands in for helm where kustomize calls it: it claims to be version 3, the only one that kustomize takes, and
// passes `template` on. Version 4 templates charts by the same engine. Nothing is ever pulled: what is not there was not
// allowed, or could not be fetched.
func asHelm(words []string) error {
	switch words[0] {
	case "version":
		fmt.Println("v3.19.0")
		os.Exit(0)
	case "template":
		program := helm
		if _, err := os.Stat(program); err != nil {
			program = os.Getenv(helmVariable)
		}
		return syscall.Exec(program, append([]string{"helm"}, words...), environment())
	case "pull":
		return errors.New("the chart is not in the repository")
	}
	return fmt.Errorf("helm %s is not run here", words[0])
}

// environment leaves out where kustomize lets helm look for its settings: a kustomization may name a folder of the
// repository (helmGlobals.configHome), whose plugins must not run.
func environment() []string {
	kept := []string{"HELM_PLUGINS=/nowhere"}
	for _, row := range os.Environ() {
		if !strings.HasPrefix(row, "HELM_") {
			kept = append(kept, row)
		}
	}
	return append(kept, "HELM_CONFIG_HOME=/tmp/helm/config", "HELM_CACHE_HOME=/tmp/helm/cache", "HELM_DATA_HOME=/tmp/helm/data")
}
