package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change of one file.
type mutant struct {
	File string // relative to the module
	Func string
	Line int
	Op   string // what was done
	Was  string // the source that it was done to, on one line
	Nth  int    // of those alike in one function, from 1

	path       string
	start, end int // of the source that is changed, in bytes
	// before and behind are put around it; they do nothing while another mutant is in
	// force, so that one build has them all. Where they are empty, text replaces it.
	before, behind, text string
}

// switched reports whether the mutant is in force by its number, in a build with others.
func (m mutant) switched() bool { return m.before != "" }

// ID names a mutant whatever lines stand before it.
func (m mutant) ID() string {
	id := fmt.Sprintf("%s %s: %s: %s", m.File, m.Func, m.Op, m.Was)
	if m.Nth > 1 {
		id += " #" + strconv.Itoa(m.Nth)
	}
	return id
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d %s", m.File, m.Line, m.ID()) }

// mutants are all that can be made of the package, in the order of its source.
func (p pkg) mutants() ([]mutant, error) {
	var all []mutant
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Path, name)
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			all = append(all, declared(decl, mutant{File: filepath.Join(p.Dir, name), path: path}, fset, src)...)
		}
	}
	return all, nil
}

// declared are the mutants of one declaration; base names the file.
func declared(decl ast.Decl, base mutant, fset *token.FileSet, src []byte) []mutant {
	w := &walker{fset: fset, src: src, base: base, seen: map[string]int{}}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Body != nil {
			w.base.Func = funcName(d)
			w.function(d.Type, d.Body)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST {
				w.base.Func = v.Names[0].Name
				w.constants(v)
			}
		}
	}
	return w.found
}

func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// sample shuffles the mutants: the first of them are the sample.
func sample(mutants []mutant, seed uint64) []mutant {
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	return mutants
}

// oneLine makes source fit an ID.
func oneLine(src []byte) string {
	s := strings.Join(strings.Fields(string(src)), " ")
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80]) + "..."
	}
	return s
}
