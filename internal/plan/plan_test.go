package plan

import (
	"strings"
	"testing"
)

func TestResultFitsTerminationMessage(t *testing.T) {
	r := Result{
		Failure:  &Failure{Reason: ReasonCommand, Message: strings.Repeat("ä\xff", 6000), Terminal: true},
		Warnings: []string{strings.Repeat("w", 3000), strings.Repeat("v", 3000)},
	}
	b := r.Marshal()
	if len(b) > MaxResultBytes {
		t.Fatalf("%d bytes, more than %d", len(b), MaxResultBytes)
	}
	got, ok := ParseResult(string(b))
	if !ok || got.Failure == nil || got.Failure.Reason != ReasonCommand || !got.Failure.Terminal {
		t.Fatalf("the failure was lost: %+v", got)
	}
	if !strings.HasSuffix(got.Failure.Message, "…") {
		t.Errorf("a cut message must say so, got …%q", got.Failure.Message[len(got.Failure.Message)-8:])
	}
}

func TestProgressIsTheLastLineThatIsOne(t *testing.T) {
	tail := `{"percent":3,"message":"downloading"}
{"percent":40,"rate":1200,"message":"unpacking"}
PHP Warning: something
{"percent":41`
	p, ok := ParseProgress(tail)
	if !ok || p.Percent != 40 || p.RateMillis != 1200 || p.Message != "unpacking" {
		t.Errorf("got %+v, %t", p, ok)
	}
	if _, ok := ParseProgress("nothing here"); ok {
		t.Error("found progress in a line that has none")
	}
}

func TestReadRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, doc := range []string{`{}`, `{"frobnicate":{}}`, `{"prune":{"volume":"/v","generation":1,"extra":1}}`, ``} {
		if _, err := Read(strings.NewReader(doc)); err == nil {
			t.Errorf("%q was read without an error", doc)
		}
	}
	p, err := Read(strings.NewReader(`{"prune":{"volume":"/v","generation":2}}`))
	if err != nil || p.Task() != "prune" || p.Prune.Generation != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
}
