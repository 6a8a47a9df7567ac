package main

import (
	"go/ast"
	"go/token"
	"strconv"
)

// walker finds the mutants of one function.
type walker struct {
	fset  *token.FileSet
	src   []byte
	base  mutant
	found []mutant
	seen  map[string]int
}

func (w *walker) offset(p token.Pos) int { return w.fset.Position(p).Offset }

// replace records the mutant that has text in place of n.
func (w *walker) replace(op string, n ast.Node, text string) {
	m := w.base
	m.start, m.end, m.text = w.offset(n.Pos()), w.offset(n.End()), text
	m.Line, m.Op, m.Was = w.fset.Position(n.Pos()).Line, op, oneLine(w.src[m.start:m.end])
	w.seen[op+m.Was]++
	m.Nth = w.seen[op+m.Was]
	w.found = append(w.found, m)
}

func (w *walker) source(n ast.Node) string {
	return string(w.src[w.offset(n.Pos()):w.offset(n.End())])
}

// function walks a function's body; a literal in it has results of its own.
func (w *walker) function(t *ast.FuncType, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.FuncLit:
			w.function(x.Type, x.Body)
			return false
		case *ast.BlockStmt:
			w.statements(x.List)
		case *ast.CaseClause:
			w.statements(x.Body)
			if len(x.List) == 1 {
				w.condition(x.List[0])
			}
		case *ast.CommClause:
			w.statements(x.Body)
		case *ast.IfStmt:
			w.negate(x.Cond)
		case *ast.ForStmt:
			if x.Cond != nil {
				w.negate(x.Cond)
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				w.replace("left operand dropped", x, "("+w.source(x.Y)+")")
				w.replace("right operand dropped", x, "("+w.source(x.X)+")")
				return true
			}
			return w.constant(n)
		case *ast.ReturnStmt:
			w.returned(t, x)
		default:
			return w.constant(n)
		}
		return true
	})
}

// constants changes the numbers of a declaration.
func (w *walker) constants(n ast.Node) { ast.Inspect(n, w.constant) }

// constant changes a number by one. It passes over durations: nobody promises the last
// part of a second.
func (w *walker) constant(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.BinaryExpr:
		unit, ok := x.Y.(*ast.SelectorExpr)
		if ok && x.Op == token.MUL {
			if p, ok := unit.X.(*ast.Ident); ok && p.Name == "time" {
				return false
			}
		}
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(x.Value, 0, 63); err == nil && x.Kind == token.INT {
			w.replace("constant by one", x, strconv.FormatInt(v+1, 10))
		}
	}
	return true
}

func (w *walker) negate(cond ast.Expr) { w.replace("condition negated", cond, "!("+w.source(cond)+")") }

// condition negates the case of a switch without a tag, where it is plainly a condition.
func (w *walker) condition(e ast.Expr) {
	switch x := e.(type) {
	case *ast.BinaryExpr:
		switch x.Op {
		case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			w.negate(e)
		}
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			w.negate(e)
		}
	case *ast.CallExpr:
		w.negate(e) // of a switch with a tag it does not compile, and is not counted
	}
}

// statements removes each that can go: one that declares cannot.
func (w *walker) statements(list []ast.Stmt) {
	for _, s := range list {
		switch x := s.(type) {
		case *ast.AssignStmt:
			if x.Tok == token.DEFINE {
				continue
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.BranchStmt:
		case *ast.ReturnStmt:
			if len(x.Results) > 0 {
				continue
			}
		default:
			continue
		}
		w.replace("statement removed", s, "")
	}
}

// returned makes an error nil.
func (w *walker) returned(t *ast.FuncType, r *ast.ReturnStmt) {
	if t.Results == nil || len(r.Results) == 0 || len(r.Results) != t.Results.NumFields() {
		return
	}
	last := t.Results.List[len(t.Results.List)-1]
	name, isIdent := last.Type.(*ast.Ident)
	e := r.Results[len(r.Results)-1]
	value, isName := e.(*ast.Ident)
	if !isIdent || name.Name != "error" || isName && value.Name == "nil" {
		return
	}
	w.replace("error made nil", e, "nil")
}
