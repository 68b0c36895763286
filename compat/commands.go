package compat

import (
	"slices"
)

// Arguments that several commands have.
var (
	argUser = Argument{Name: "user", Kind: Text, Default: "the caller's own namespace", Becomes: "the namespace: the one with the label `sitewright.dev/user=<user>`"}
	argID   = Argument{Name: "id", Kind: Text, Required: true, Becomes: "the object: its UID in base 36"}

	argBackground = Argument{
		Name: "background", Kind: Flag, Default: "the request waits until the work has ended",
		Becomes: "the reply has the task, after the controller's first checks; with `quick` before them. `0` means absent",
	}
	argDryRun = Argument{
		Name: "dryrun", Kind: Flag, Values: []string{"", "0", "1", "2"}, Default: "it is done",
		Becomes: "`1` checks the arguments; `2` also asks the API server, which checks the object and quotas (`dryRun: All`)",
	}
	argForce = Argument{Name: "force", Kind: Flag, Becomes: "annotation `sitewright.dev/force-delete: \"true\"`: what cannot be reached is left behind"}

	argsWhere = []Argument{
		{Name: "url_ip", Kind: Text, Default: "what DNS says", Becomes: "`address` of the Install"},
		{
			Name: "db", Kind: Text, Values: []string{"auto", "manual"}, Default: "`manual` where the arguments below are there, else `auto`",
			Becomes: "`manual` demands a database that is there; `auto` makes one, whatever is said of another",
		},
		{Name: "db_host", Kind: Text, Default: "a database is made", Becomes: "`database.existing.host` and, after a colon, `port`"},
		{Name: "db_name", Kind: Text, Becomes: "`database.existing.name`"},
		{Name: "db_user", Kind: Text, Becomes: "`database.existing.user`"},
		{Name: "db_pass", Kind: Text, Becomes: "a Secret of its own, which `database.existing.passwordSecretRef` names"},
		{Name: "db_prefix", Kind: Text, Default: "the application's own; of a copy, the source's", Becomes: "`database.prefix`"},
	}
	argsPolicies = []Argument{
		{Name: "autoup", Kind: Text, Values: []string{"0", "1", "2"}, Default: "off", Becomes: "`updates.policy`: `0` Off, `1` Minor, `2` Any"},
		{Name: "autoup_backup", Kind: Text, Values: []string{"0", "1"}, Default: "on", Becomes: "`updates.backup`"},
		{
			Name: "notification", Kind: List, Default: "the operator's default",
			Becomes: "`notifications.events`; `all` is each of the fourteen, an empty list none",
		},
		{Name: "autobk", Kind: Text, Default: "no schedule", Becomes: "`custom`: the counts below in `backups`; else the id of a BackupSchedule, in `backups.scheduleRef`"},
		{Name: "autobk_daily", Kind: Count, Becomes: "`backups.daily`"},
		{Name: "autobk_weekly", Kind: Count, Becomes: "`backups.weekly`"},
		{Name: "autobk_monthly", Kind: Count, Becomes: "`backups.monthly`"},
		{
			Name: "bkloc", Kind: Text, Default: "the namespace's default location",
			Becomes: "a BackupLocation and a Secret with its login, shared by all who name the same place and login; `backups.locationRef`",
		},
	}
)

// Commands are all commands of the API, in the order of the reference.
var Commands = []Command{
	{
		Name: "browser", Summary: "List applications, or the releases of some", Becomes: "answered from the Applications",
		Arguments: []Argument{
			{Name: "application", Kind: List, Default: "the newest release of each", Becomes: "names of Applications, each of whose releases is listed"},
			{Name: "version", Kind: Text, Becomes: "only that release of the one application"},
			{Name: "from-version", Kind: Text, Becomes: "only releases from that one on, with `upgrade_from`: `auto` where `upgradeFrom` of the release holds it, else `none`"},
			{Name: "versions-available-from", Kind: Text, Becomes: "instead, the versions that can be upgraded to from that one: all, and those of its branch"},
			{Name: "language", Kind: Text, Default: "English", Becomes: "nothing: the catalogue is in English"},
		},
		handle: (*Server).browse,
	},
	{
		Name: "install", Summary: "Install an application", Becomes: "an Install", Changes: true, Fields: true,
		Arguments: concat([]Argument{
			argUser,
			{Name: "application", Kind: Text, Required: true, Becomes: "`application`"},
			{Name: "version", Kind: Text, Default: "the newest that fits", Becomes: "`version`"},
			{Name: "url", Kind: Text, Required: true, Becomes: "`url`, and the name of the Install, which is made of it"},
		}, argsWhere, []Argument{
			{Name: "db_host_ip", Kind: Text, Becomes: "`database.existing.connectHost`"},
		}, argsPolicies, []Argument{
			{Name: "language", Kind: Text, Default: "en", Becomes: "`language`"},
			{Name: "login", Kind: Text, Default: "generated", Becomes: "`admin.login`"},
			{Name: "passwd", Kind: Text, Default: "generated", Becomes: "a Secret of its own, which `admin.passwordSecretRef` names"},
			{Name: "email", Kind: Text, Default: "admin@ the URL's host", Becomes: "`admin.email`"},
			{Name: "sitetitle", Kind: Text, Default: "the application's own", Becomes: "`title`"},
			{Name: "content", Kind: Text, Default: "yes", Becomes: "`content`"},
			argBackground, argDryRun,
		}),
		handle: (*Server).install,
	},
	{
		Name: "import", Summary: "Import an application from this or another server", Changes: true,
		Unsupported: "the operator cannot import running sites yet",
		Arguments: []Argument{argUser, {Name: "application"}, {Name: "version"}, {Name: "url"}, {Name: "url_ip"}, {Name: "source_url"}, {Name: "source_ftu"},
			{Name: "source_ftu_key"}, {Name: "source_url_ip"}, argBackground, argDryRun},
	},
	{
		Name: "installs", Summary: "List installed applications", Becomes: "answered from the Installs as the server has them in memory, without passwords: those are in `view`",
		Arguments: []Argument{
			argUser, {Name: "q", Kind: Text, Becomes: "only those whose title, URL, id, installer or owner holds the text"},
			{Name: "id", Kind: Text, Becomes: "only that one"},
			{Name: "filter-version-available", Kind: Text, Becomes: "`yes`: only those that can be upgraded"},
			{Name: "filter-version-available-minor", Kind: Text, Becomes: "`yes`: only those that can be upgraded within their branch"},
			argOwned("installs"),
		},
		handle: (*Server).listInstalls,
	},
	{
		Name: "backups", Summary: "List backups", Becomes: "answered from the Backups that have a verified snapshot. `db-pass` is empty: a backup keeps no password",
		Arguments: []Argument{
			argUser, {Name: "q", Kind: Text, Becomes: "only those whose title, URL, id, installer or owner holds the text"},
			{Name: "pid", Kind: Text, Becomes: "only those of that Install"},
			{Name: "id", Kind: Text, Becomes: "only that one"}, argOwned("backups"),
		},
		handle: (*Server).listBackups,
	},
	{
		Name: "view", Summary: "Show an installed application", Becomes: "answered from the Install, with passwords where the caller may read the Secrets",
		Arguments: []Argument{argID, {Name: "addons", Kind: Flag, Becomes: "`plugins` and `themes` as found at the last inspection"}},
		handle:    (*Server).viewInstall,
	},
	{
		Name: "edit", Summary: "Change an installed application", Changes: true, Fields: true,
		Becomes: "a patch of the Install's spec, and, where settings change, the wait for the site to have them. What could not be brought to the site is taken back",
		Arguments: concat([]Argument{argID}, argsPolicies, argsSettings,
			[]Argument{
				{Name: "delete", Kind: Flag, Becomes: "the Install is deleted with `deletionPolicy: Orphan`: volume, database and Secrets stay, for another Install to adopt"},
				{Name: "delete-backups", Kind: Flag, Becomes: "the Install's Backups are deleted with `deletionPolicy: Orphan`: their snapshots stay in the location"},
			}),
		handle: (*Server).edit,
	},
	{
		Name: "backup", Summary: "Back up an installed application", Becomes: "a Backup", Changes: true,
		Arguments: []Argument{argID, {Name: "expiry", Kind: Text, Default: "never", Becomes: "`ttl`: `auto` is 14 days, a number that many"}, argBackground},
		handle:    (*Server).backup,
	},
	{
		Name: "clone", Summary: "Copy an installed application to another URL", Becomes: "a Clone, which makes an Install", Changes: true,
		Arguments: concat([]Argument{
			argID, {Name: "url", Kind: Text, Required: true, Becomes: "`to.url`, and `to.name`, which is made of it"},
		}, argsWhere, []Argument{argBackground, argDryRun}),
		handle: (*Server).clone,
	},
	{
		Name: "upgrade", Aliases: []string{"update"}, Summary: "Upgrade an installed application, its plugins or its themes", Becomes: "an Upgrade", Changes: true,
		Arguments: []Argument{
			argID, {Name: "version", Kind: Text, Default: "the newest that fits", Becomes: "`version`; `current` leaves it as it is"},
			{
				Name: "revert", Kind: Text, Values: []string{"yes", "no"}, Default: "no",
				Becomes: "`backup: true`. Nothing has to be restored: until the upgraded copy has answered, the old site serves",
			},
			{Name: "plugin", Kind: List, Becomes: "`plugins`; `*` is all"}, {Name: "theme", Kind: List, Becomes: "`themes`; `*` is all"},
			argBackground, argDryRun,
		},
		handle: (*Server).upgrade,
	},
	{
		Name: "restore", Summary: "Restore a backup, in place or to another URL", Becomes: "a Restore", Changes: true,
		Arguments: concat([]Argument{
			argID, {Name: "url", Kind: Text, Default: "in place", Becomes: "`to.url`, and `to.name`, which is made of it"},
		}, argsWhere, []Argument{argBackground, argDryRun}),
		handle: (*Server).restore,
	},
	{
		Name: "uninstall", Summary: "Remove an installed application", Becomes: "the Install is deleted, with its volume, database and Secrets. Its Backups stay", Changes: true,
		Arguments: []Argument{argID, argForce, argBackground},
		handle:    (*Server).uninstall,
	},
	{
		Name: "delete", Summary: "Delete a backup", Becomes: "the Backup is deleted, with its snapshot", Changes: true,
		Arguments: []Argument{argID, argForce, argBackground},
		handle:    (*Server).deleteBackup,
	},
	{
		Name: "importbackup", Summary: "Import a backup archive", Becomes: "a Backup with `archive`, in the namespace's default location", Changes: true,
		Arguments: []Argument{argUser, {Name: "path", Kind: Text, Required: true, Becomes: "`archive.path`, in the location; a slash at its beginning is left out"}, argBackground},
		handle:    (*Server).importBackup,
	},
	{
		Name: "tasks", Summary: "List what is being done, and what was in the last 24 hours",
		Becomes: "answered from the conditions and the progress of Installs, Backups, Restores, Clones and Upgrades. " +
			"A task's id is that of its object, and stays; what was deleted is remembered in memory",
		Arguments: []Argument{argUser, {Name: "id", Kind: Text, Becomes: "only that one"}},
		handle:    (*Server).listTasks,
	},
}

func concat(groups ...[]Argument) []Argument { return slices.Concat(groups...) }

// argOwned is the argument by which resellers see the accounts that they own.
func argOwned(what string) Argument {
	return Argument{
		Name: "filter-ownedaccounts", Kind: Flag,
		Becomes: "also the " + what + " of namespaces with the label `sitewright.dev/owner=<user>`; of an administrator, who may list those of every namespace, all",
	}
}

// argsSettings are what of a site can be changed once it is there. What the site has already is no change: clients send what they know.
var argsSettings = []Argument{
	{Name: "url", Kind: Text, Becomes: "`url`: the site moves, by a copy that has to answer before the old place goes"},
	{Name: "language", Kind: Text, Becomes: "`language`"},
	{Name: "login", Kind: Text, Becomes: "`admin.login`: the administrator is renamed"},
	{Name: "passwd", Kind: Text, Becomes: "a Secret of its own, which `admin.passwordSecretRef` names"},
	{Name: "email", Kind: Text, Becomes: "`admin.email`"},
	{Name: "sitetitle", Kind: Text, Becomes: "`title`"},
	{Name: "db_host", Kind: Text, Becomes: "`database.existing.host` and `.port`, of a database that the operator did not make"},
	{Name: "db_user", Kind: Text, Becomes: "`database.existing.user`, likewise"},
	{Name: "db_pass", Kind: Text, Becomes: "a Secret of its own, which `database.existing.passwordSecretRef` names, likewise"},
	{Name: "db_name", Kind: Text, Becomes: "refused unless it is what the site has"},
	{Name: "db_prefix", Kind: Text, Becomes: "refused unless it is what the site has"},
}
