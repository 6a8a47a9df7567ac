// Podpass-webhook is the mutating admission webhook.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"sigs.k8s.io/controller-runtime/pkg/manager/signals"

	"github.com/podpass-io/podpass/cmd/internal/memory"
	"github.com/podpass-io/podpass/cmd/internal/termination"
	"github.com/podpass-io/podpass/cmd/internal/version"
)

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		termination.Write(termination.File, err)
		os.Exit(1)
	case o.version:
		fmt.Println("podpass-webhook", version.Get())
		return
	}
	log := logTo(os.Stderr, o.logLevel)
	// Reviews leave garbage, and little lives: with a limit as ceiling, half of the time
	// of the slowest hundredth of the reviews went into collections that nobody needed.
	// Above 400 there is little left to gain, and more to give back after a burst.
	memory.Set(memory.Percents{Unlimited: 100, Limited: 400})
	log.Info("Starting", "version", version.Number())
	// The first signal ends the context, the second the process.
	if err := run(signals.SetupSignalHandler(), o, log); err != nil {
		log.Error("Ended", "error", err)
		termination.Write(termination.File, err)
		os.Exit(1)
	}
}
