package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/sitewright/sitewright/internal/plan"
)

// Databases and files that turns make.
const (
	oursDB, theirsDB, scratchDB = "ours", "theirs", "scratch"
	stockDump, oursSQL          = "stock.sql", "ours.sql"
	theirsSQL, oursParts        = "theirs.sql", "ours.parts"
)

// The peers, as people write them.
const (
	peerBackup = `restic -q backup "$FILES"
mariadb-dump $OPTIONS --single-transaction "$DATABASE" | restic -q backup --stdin --stdin-filename database.sql`
	peerRestore = `restic -q restore latest --path "$FILES" --target "$TARGET"
restic -q dump --path /database.sql latest database.sql | mariadb $OPTIONS "$INTO"`
	peerDump  = `mariadb-dump $OPTIONS --single-transaction "$DATABASE" > "$OUT"`
	peerLoad  = `mariadb $OPTIONS "$INTO" < "$IN"`
	peerClone = `cp -a "$FILES" "$TARGET"
mariadb-dump $OPTIONS --single-transaction "$DATABASE" | sed "s#$OLD#$NEW#g" | mariadb $OPTIONS "$INTO"`
	peerRewrite = `sed "s#$OLD#$NEW#g" < "$IN" > "$OUT"`
)

// works are the lines of the table, in the order in which they are measured.
func (b *bench) works() []work {
	return append([]work{b.firstBackup(), b.nextBackup(), b.restore()}, append(b.databaseWorks(), b.clone(), b.rewrite())...)
}

// variables are those of the peers' scripts.
func (b *bench) variables(more ...string) map[string]string {
	v := map[string]string{"FILES": b.site.www(), "DATABASE": b.site.plan.Database.Name, "OLD": siteURL, "NEW": cloneURL,
		"TARGET": b.path("out", "theirs"), "INTO": theirsDB, "IN": b.path("out", stockDump)}
	for i := 0; i+1 < len(more); i += 2 {
		v[more[i]] = more[i+1]
	}
	return v
}

// peer is a turn of the peer's.
func (b *bench) peer(script string, more ...string) func(context.Context) (cost, error) {
	return func(ctx context.Context) (cost, error) { return b.script(ctx, script, b.variables(more...)) }
}

// task is a turn of ours that the agent does.
func (b *bench) task(p func() *plan.Plan) func(context.Context) (cost, error) {
	return func(ctx context.Context) (cost, error) {
		c, err := b.agent(ctx, p())
		return c, err
	}
}

func (b *bench) location() plan.Location {
	return plan.Location{Name: "bench", Volume: &plan.Volume{Path: b.path("locations", "ours")}, PasswordFile: b.path("secrets", "repository")}
}

func (b *bench) backupPlan(s *site) *plan.Plan {
	b.serial++
	name := "backup-" + strings.Repeat("i", b.serial)
	return &plan.Plan{Backup: &plan.Backup{Site: s.plan, Location: b.location(), Name: name, UID: "uid-of-" + name}}
}

// newRepository makes our repository anew, as the operator does for a BackupLocation.
func (b *bench) newRepository(ctx context.Context) error {
	dir := b.path("locations", "ours")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	_, err := b.agent(ctx, &plan.Plan{Open: &plan.Open{Location: b.location()}})
	return err
}

// newPeerRepository makes restic's anew.
func (b *bench) newPeerRepository(ctx context.Context) error {
	if err := errors.Join(os.RemoveAll(b.path("locations", "peer")), os.RemoveAll(b.path("restic-cache"))); err != nil {
		return err
	}
	_, err := b.script(ctx, "restic -q init", nil)
	return err
}

// bothBackups makes new repositories with a backup of the site as it is.
func (b *bench) bothBackups(ctx context.Context) error {
	if err := errors.Join(b.newRepository(ctx), b.newPeerRepository(ctx)); err != nil {
		return err
	}
	if _, err := b.script(ctx, peerBackup, b.variables()); err != nil {
		return err
	}
	_, err := b.agent(ctx, b.backupPlan(b.site))
	return err
}

func (b *bench) firstBackup() work {
	return work{
		name: "first backup", peer: "`restic backup` + `mariadb-dump \\| restic backup --stdin`", target: 0.8,
		ours:   side{reset: b.newRepository, do: b.task(func() *plan.Plan { return b.backupPlan(b.site) }), check: b.checkBackup},
		theirs: side{reset: b.newPeerRepository, do: b.peer(peerBackup), check: b.checkPeerBackup},
	}
}

func (b *bench) nextBackup() work {
	return work{
		name: "next backup, 1 % changed", peer: "the same", target: 0.4,
		round: func(ctx context.Context) error {
			if err := b.bothBackups(ctx); err != nil {
				return err
			}
			return b.alter(ctx, b.site)
		},
		ours:   side{do: b.task(func() *plan.Plan { return b.backupPlan(b.site) }), check: b.checkBackup},
		theirs: side{do: b.peer(peerBackup), check: b.checkPeerBackup},
	}
}

// restored is the generation that a restore makes.
func (b *bench) restored() plan.Site {
	p := b.sitePlan("site", siteURL, 2)
	p.Recipe = b.site.plan.Recipe
	p.Database.Name = oursDB
	return p
}

func (b *bench) restorePlan() *plan.Plan {
	return &plan.Plan{Restore: &plan.Restore{Site: b.restored(), Location: b.location(), Latest: &plan.LatestSnap{Namespace: "bench", Name: "site"}}}
}

// resetRestored removes the generation that a restore made.
func (b *bench) resetRestored(ctx context.Context) error {
	p := b.restored()
	_, err := b.agent(ctx, &plan.Plan{Prune: &plan.Prune{Volume: p.Volume, Generation: p.Generation}})
	return errors.Join(err, b.server.fresh(ctx, oursDB))
}

// resetTheirs removes what the peer made.
func (b *bench) resetTheirs(ctx context.Context) error {
	return errors.Join(os.RemoveAll(b.path("out", "theirs")), b.server.fresh(ctx, theirsDB))
}

func (b *bench) restore() work {
	return work{
		name: "restore", peer: "`restic restore` + `restic dump \\| mariadb`", target: 0.6, before: b.bothBackups,
		ours:   side{reset: b.resetRestored, do: b.task(b.restorePlan), check: b.checkRestored},
		theirs: side{reset: b.resetTheirs, do: b.peer(peerRestore), check: b.checkPeerRestored},
		after: func(ctx context.Context) error {
			return errors.Join(b.resetRestored(ctx), b.resetTheirs(ctx), b.server.drop(ctx, oursDB, theirsDB),
				os.RemoveAll(b.path("locations", "ours")), os.RemoveAll(b.path("locations", "peer")))
		},
	}
}

// cloned is the site that a clone makes.
func (b *bench) cloned() plan.Site {
	p := b.sitePlan("clone", cloneURL, 1)
	p.Recipe = b.site.plan.Recipe
	p.Database.Name = oursDB
	return p
}

func (b *bench) clonePlan() *plan.Plan {
	return &plan.Plan{Clone: &plan.Clone{Site: b.cloned(), Source: b.site.plan}}
}

func (b *bench) resetCloned(ctx context.Context) error {
	volume := b.path("volumes", "clone")
	return errors.Join(os.RemoveAll(volume), os.Mkdir(volume, 0o750), b.server.fresh(ctx, oursDB))
}

func (b *bench) clone() work {
	return work{
		name: "clone on one server", peer: "`cp -a` + `mariadb-dump \\| sed \\| mariadb`", target: 0.4,
		ours:   side{reset: b.resetCloned, do: b.task(b.clonePlan), check: b.checkCloned},
		theirs: side{reset: b.resetTheirs, do: b.peer(peerClone), check: b.checkPeerCloned},
		after: func(ctx context.Context) error {
			return errors.Join(b.resetCloned(ctx), b.resetTheirs(ctx), b.server.drop(ctx, oursDB, theirsDB))
		},
	}
}
