package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// checkout is where every checkout seems to lie, and sides the folder in which they really do.
const (
	checkout = "/repo"
	sides    = "/sides"
)

// relocated shows the folder `at` as /repo, and hides the others.
type relocated struct {
	filesys.FileSystem
	at string
}

func (r relocated) real(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(checkout, path)
	}
	path = filepath.Clean(path)
	if rest, below := strings.CutPrefix(path+"/", checkout+"/"); below {
		return filepath.Join(r.at, rest)
	}
	if strings.HasPrefix(path+"/", sides+"/") {
		return "/nowhere" + path
	}
	return path
}

func (r relocated) seen(path string) (string, error) {
	rest, below := strings.CutPrefix(path+"/", r.at+"/")
	if below {
		return filepath.Join(checkout, rest), nil
	}
	if strings.HasPrefix(path+"/", sides+"/") {
		return "", fmt.Errorf("lstat %s: no such file or directory", path)
	}
	return path, nil
}

// CleanedAbs follows symbolic links.
func (r relocated) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	folder, file, err := r.FileSystem.CleanedAbs(r.real(path))
	if err != nil {
		return folder, file, err
	}
	where, err := r.seen(folder.String())
	return filesys.ConfirmedDir(where), file, err
}

func (r relocated) Open(path string) (filesys.File, error) { return r.FileSystem.Open(r.real(path)) }

func (r relocated) IsDir(path string) bool { return r.FileSystem.IsDir(r.real(path)) }

func (r relocated) ReadDir(path string) ([]string, error) { return r.FileSystem.ReadDir(r.real(path)) }

func (r relocated) Exists(path string) bool { return r.FileSystem.Exists(r.real(path)) }

func (r relocated) ReadFile(path string) ([]byte, error) { return r.FileSystem.ReadFile(r.real(path)) }

func (r relocated) Glob(pattern string) ([]string, error) {
	found, err := r.FileSystem.Glob(r.real(pattern))
	if err != nil {
		return nil, err
	}
	for index, path := range found {
		if found[index], err = r.seen(path); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Walk is not needed to build, and so not offered.
func (r relocated) Walk(path string, _ filepath.WalkFunc) error {
	return fmt.Errorf("%s is not walked here", path)
}

// replaced is a file system in which one file has another content.
type replaced struct {
	filesys.FileSystem
	entry   string
	content []byte
}

func (r replaced) ReadFile(path string) ([]byte, error) {
	if filepath.Clean(path) == r.entry {
		return r.content, nil
	}
	return r.FileSystem.ReadFile(path)
}
