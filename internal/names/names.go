// Package names holds the names of everything that is made: pure functions, so that a child can be found without being
// remembered, and the same name is never given to two things.
package names

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// maxLabel is the longest name that also fits a label value and the name of a Service or a Pod's prefix.
const maxLabel = 63

// Bounded joins parts with dashes; a result that is too long is cut and ends in a hash of the whole, so that two long
// names which differ only at their ends stay apart.
func Bounded(limit int, parts ...string) string {
	whole := ""
	for i, p := range parts {
		if i > 0 {
			whole += "-"
		}
		whole += p
	}
	if len(whole) <= limit {
		return whole
	}
	return whole[:limit-9] + "-" + digest(whole, 8)
}

func digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// Workload is the Deployment, Service, Ingress and volume claim of an Install.
func Workload(install string) string { return install }

// AdminSecret holds the administrator's login, as generated or copied from the Install's spec.
func AdminSecret(install string) string { return Bounded(maxLabel, install, "admin") }

// DatabaseSecret holds the password of the site's database user.
func DatabaseSecret(install string) string { return Bounded(maxLabel, install, "database") }

// RepositorySecret holds the generated password of a location's repository.
func RepositorySecret(location string) string { return Bounded(253, location, "repository") }

// LocationVolume is the volume claim of a location that is a volume.
func LocationVolume(location string) string { return Bounded(253, location, "backups") }

// Job is the Job that carries out a task for an object. The kind is part of it, so that a Backup and a Restore of one name do not
// meet; 52 characters leave room for the pods' suffixes.
func Job(task, object string) string { return Bounded(52, task, object) }

// BootstrapJob is the Job that makes an Install's first generation. Taken from elsewhere it has a name of its own: a Restore or Clone often has
// the name of the Install that it makes.
func BootstrapJob(task, install string) string {
	if task == "install" {
		return Job(task, install)
	}
	return Job("bootstrap", install)
}

// BackupBefore is the Backup that an Upgrade makes first: one that is made again under its name makes another.
func BackupBefore(upgrade, uid string) string {
	return Bounded(maxLabel, upgrade, "before", digest(uid, 6))
}

// GenerationJob is the Job that a task runs for one generation of a site.
func GenerationJob(task, object string, generation int64) string {
	return Bounded(52, task, object, strconv.FormatInt(generation, 10))
}

// DatabaseUser is the site's one database user, from its Install's UID: 15 characters, unique where a name may be used
// again after its Install was deleted.
func DatabaseUser(uid string) string { return "sw_" + digest(uid, 12) }

// Database is the database of one generation of a site.
func Database(uid string, generation int64) string {
	return DatabasePrefix(uid) + strconv.FormatInt(generation, 10)
}

// DatabasePrefix begins the names of all of a site's databases.
func DatabasePrefix(uid string) string { return DatabaseUser(uid) + "_" }

// Generation parses the generation out of the name of a database of the site.
func Generation(uid, database string) (int64, bool) {
	p := DatabasePrefix(uid)
	if len(database) <= len(p) || database[:len(p)] != p {
		return 0, false
	}
	n, err := strconv.ParseInt(database[len(p):], 10, 64)
	return n, err == nil && n > 0
}
