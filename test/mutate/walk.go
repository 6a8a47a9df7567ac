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

// record notes a mutant of n; change says how the text is edited.
func (w *walker) record(op string, n ast.Node, change func(*mutant)) {
	m := w.base
	m.start, m.end = w.offset(n.Pos()), w.offset(n.End())
	m.Line, m.Op, m.Was = w.fset.Position(n.Pos()).Line, op, oneLine(w.src[m.start:m.end])
	w.seen[op+m.Was]++
	m.Nth = w.seen[op+m.Was]
	change(&m)
	w.found = append(w.found, m)
}

// around records a mutant that puts text before and behind part, which is n or in it.
// "%d" in before stands for the mutant's number: with another one in force, the code
// does what it did.
func (w *walker) around(op string, n, part ast.Node, before, behind string) {
	w.record(op, n, func(m *mutant) {
		m.start, m.end, m.before, m.behind = w.offset(part.Pos()), w.offset(part.End()), before, behind
	})
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
				before := "((mutateN == %d) || ("
				if x.Op == token.LOR {
					before = "((mutateN != %d) && ("
				}
				w.around("left operand dropped", x, x.X, before, "))")
				w.around("right operand dropped", x, x.Y, before, "))")
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
			w.record("constant by one", x, func(m *mutant) { m.text = strconv.FormatInt(v+1, 10) })
		}
	}
	return true
}

func (w *walker) negate(cond ast.Expr) {
	w.around("condition negated", cond, cond, "((mutateN == %d) != (", "))")
}

// condition negates the case of a switch without a tag, where it is plainly a condition.
func (w *walker) condition(e ast.Expr) {
	switch x := e.(type) {
	case *ast.BinaryExpr:
		switch x.Op {
		case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			w.negate(e)
		default: // a number, a text
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
		case *ast.ExprStmt:
			if call, ok := x.X.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
					continue // the function may end with it
				}
			}
		case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
		case *ast.BranchStmt:
			if x.Tok == token.FALLTHROUGH {
				continue
			}
		case *ast.ReturnStmt:
			if len(x.Results) > 0 {
				continue
			}
		default:
			continue
		}
		w.around("statement removed", s, s, "if mutateN != %d { ", " }")
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
	// The return that is inserted has the same values, but for the last.
	values := string(w.src[w.offset(r.Pos()):w.offset(e.Pos())]) + "nil"
	w.around("error made nil", e, r, "if mutateN == %d { "+values+" }; ", "")
}
