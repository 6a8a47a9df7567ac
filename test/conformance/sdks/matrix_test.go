package sdks

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// matrix collects what each SDK saw in each case, and prints it as a table when
// the test ends: one row a case, one column an SDK.
type matrix struct {
	mu    sync.Mutex
	cells map[string]map[string]string
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{cells: map[string]map[string]string{}}
	t.Cleanup(func() { t.Logf("what the SDKs saw:\n%s", m) })
	return m
}

func (m *matrix) set(row, column, cell string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells[row] == nil {
		m.cells[row] = map[string]string{}
	}
	m.cells[row][column] = cell
}

func (m *matrix) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rows, columns []string
	for row, cells := range m.cells {
		rows = append(rows, row)
		for column := range cells {
			if !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
		}
	}
	slices.Sort(rows)
	slices.Sort(columns)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\t%s\n", strings.Join(columns, "\t"))
	for _, row := range rows {
		fmt.Fprint(w, row)
		for _, column := range columns {
			fmt.Fprint(w, "\t", m.cells[row][column])
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // into memory
	return b.String()
}
