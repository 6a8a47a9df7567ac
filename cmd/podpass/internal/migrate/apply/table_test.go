package apply

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	outcomes := []Outcome{
		{Step: "deployment-orders", Workload: "Deployment shop/orders", State: Done, Changes: []string{"- container app: env AWS_SECRET_ACCESS_KEY", "+ serviceAccountName: orders"}},
		{Step: "job-report", Workload: "Job shop/report", State: Waits, Notes: []string{"a line\nand another"}},
	}
	var b bytes.Buffer
	if err := write(&b, outcomes, "table"); err != nil {
		t.Fatal(err)
	}
	const want = `STEP               WORKLOAD                STATE
deployment-orders  Deployment shop/orders  done
  - container app: env AWS_SECRET_ACCESS_KEY
  + serviceAccountName: orders
job-report         Job shop/report         waits
  note: a line and another
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	if err := write(&b, outcomes, "json"); err != nil {
		t.Fatal(err)
	}
	var got []Outcome
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || !cmp.Equal(got, outcomes) {
		t.Errorf("%+v %v", got, err)
	}
}
