package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// databaseWorks are dump and load. Each is measured twice: as one script, which is what the peer makes and takes, and in
// parts at the same time, which is how the agent does it.
func (b *bench) databaseWorks() []work {
	dsn := b.dsn(b.site.plan.Database.Name)
	load := func(input string, args ...string) func(context.Context) (cost, error) {
		return func(ctx context.Context) (cost, error) {
			return b.data(ctx, input, "", append([]string{"load", b.password(), b.dsn(oursDB)}, args...)...)
		}
	}
	peerDumps := side{do: b.peer(peerDump, "OUT", b.path("out", theirsSQL)), check: b.checkScript(theirsSQL)}
	peerLoads := side{reset: b.resetTheirs, do: b.peer(peerLoad), check: b.checkTables(theirsDB)}
	freshOurs := func(ctx context.Context) error { return b.server.fresh(ctx, oursDB) }
	dropAll := func(ctx context.Context) error {
		return errors.Join(b.server.drop(ctx, oursDB, theirsDB, scratchDB), b.emptyOut())
	}
	return []work{{
		name: "dump", peer: "`mariadb-dump --single-transaction >`", target: 0.8,
		ours: side{reset: b.noParts, do: func(ctx context.Context) (cost, error) {
			return b.data(ctx, "", "", "dump", b.password(), "--dir="+b.path("out", oursParts), dsn)
		}, check: b.checkParts},
		theirs: peerDumps, after: dropAll,
	}, {
		name: "dump, one stream", peer: "the same",
		ours: side{do: func(ctx context.Context) (cost, error) {
			return b.data(ctx, "", b.path("out", oursSQL), "dump", b.password(), dsn)
		}, check: b.checkScript(oursSQL)},
		theirs: peerDumps, after: dropAll,
	}, {
		name: "load", peer: "`mariadb <` the stock dump", target: 0.5,
		before: func(ctx context.Context) error { return errors.Join(b.makeStockDump(ctx), b.makeParts(ctx)) },
		ours:   side{reset: freshOurs, do: load("", "--dir="+b.path("out", oursParts)), check: b.checkTables(oursDB)},
		theirs: peerLoads, after: dropAll,
	}, {
		name: "load, the stock dump", peer: "the same",
		before: b.makeStockDump,
		ours:   side{reset: freshOurs, do: load(b.path("out", stockDump)), check: b.checkTables(oursDB)},
		theirs: peerLoads, after: dropAll,
	}}
}

func (b *bench) rewrite() work {
	return work{
		name: "rewrite a dump stream", peer: "`sed` of the same replacement", target: 2, before: b.makeStockDump,
		ours: side{do: func(ctx context.Context) (cost, error) {
			return b.data(ctx, b.path("out", stockDump), b.path("out", oursSQL), "rewrite", "--from="+siteURL, "--to="+cloneURL)
		}, check: b.checkRewritten},
		theirs: side{do: b.peer(peerRewrite, "OUT", b.path("out", theirsSQL))},
		after: func(ctx context.Context) error {
			return errors.Join(b.server.drop(ctx, scratchDB), b.emptyOut())
		},
	}
}

func (b *bench) dsn(database string) string {
	return fmt.Sprintf("mysql://%s@127.0.0.1:%d/%s", siteUser, b.server.port, database)
}

func (b *bench) password() string { return "--password-file=" + b.path("secrets", "database") }

func (b *bench) emptyOut() error {
	return errors.Join(os.RemoveAll(b.path("out")), os.Mkdir(b.path("out"), 0o700))
}

func (b *bench) noParts(context.Context) error { return os.RemoveAll(b.path("out", oursParts)) }

func (b *bench) makeParts(ctx context.Context) error {
	if err := b.noParts(ctx); err != nil {
		return err
	}
	_, err := b.data(ctx, "", "", "dump", b.password(), "--dir="+b.path("out", oursParts), b.dsn(b.site.plan.Database.Name))
	return err
}

func (b *bench) makeStockDump(ctx context.Context) error {
	_, err := b.script(ctx, peerDump, b.variables("OUT", b.path("out", stockDump)))
	return err
}
