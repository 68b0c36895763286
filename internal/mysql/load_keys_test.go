package mysql

import (
	"strings"
	"testing"
)

func TestWithoutKeys(t *testing.T) {
	for _, c := range []struct{ name, create, short, keys, foreign string }{
		{
			name:   "WordPress",
			create: "CREATE TABLE `wp_a` (`id` bigint(20) NOT NULL AUTO_INCREMENT COMMENT 'a, (b', `v` varchar(9) DEFAULT ',KEY (', PRIMARY KEY (`id`), UNIQUE KEY `v` (`v`), KEY `both` (`v`(3),`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
			short:  "CREATE TABLE `wp_a` (`id` bigint(20) NOT NULL AUTO_INCREMENT COMMENT 'a, (b', `v` varchar(9) DEFAULT ',KEY (', PRIMARY KEY (`id`) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
			keys:   "ADD UNIQUE KEY `v` (`v`); ADD KEY `both` (`v`(3),`id`)",
		},
		{
			name:    "foreign keys",
			create:  "CREATE TABLE `wp_a` (`id` int, `p` int, CONSTRAINT `c` CHECK (`p` > 0), PRIMARY KEY (`id`), KEY `p` (`p`), CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `wp_a` (`id`) ON DELETE CASCADE) ENGINE=InnoDB",
			short:   "CREATE TABLE `wp_a` (`id` int, `p` int, CONSTRAINT `c` CHECK (`p` > 0), PRIMARY KEY (`id`) ) ENGINE=InnoDB",
			keys:    "ADD KEY `p` (`p`)",
			foreign: "ADD CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `wp_a` (`id`) ON DELETE CASCADE",
		},
		{name: "nothing to defer", create: "CREATE TABLE t (id int, PRIMARY KEY (id)) ENGINE=InnoDB"},
		{name: "another engine", create: "CREATE TABLE t (id int, v int, PRIMARY KEY (id), KEY (v)) ENGINE=MyISAM"},
		{name: "an engine that is not said", create: "CREATE TABLE t (id int, v int, PRIMARY KEY (id), KEY (v))"},
		{name: "no primary key", create: "CREATE TABLE t (id int NOT NULL, v int, UNIQUE KEY (id), KEY (v)) ENGINE=InnoDB"},
		{name: "AUTO_INCREMENT elsewhere", create: "CREATE TABLE t (id int, n int AUTO_INCREMENT, PRIMARY KEY (id), KEY (n)) ENGINE=InnoDB"},
		{name: "full text", create: "CREATE TABLE t (id int, v text, PRIMARY KEY (id), FULLTEXT KEY (v)) ENGINE=InnoDB"},
		{name: "computed", create: "CREATE TABLE t (id int, v int AS (id), PRIMARY KEY (id), KEY (v)) ENGINE=InnoDB"},
		{name: "partitions", create: "CREATE TABLE t (id int, v int, PRIMARY KEY (id), KEY (v)) ENGINE=InnoDB PARTITION BY HASH (id)"},
		{
			name:    "foreign keys only",
			create:  "CREATE TABLE `wp_a` (`id` int, `t` text, FULLTEXT KEY `t` (`t`), KEY `id` (`id`), CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `wp_b` (`id`)) ENGINE=InnoDB",
			short:   "CREATE TABLE `wp_a` (`id` int, `t` text, FULLTEXT KEY `t` (`t`), KEY `id` (`id`) ) ENGINE=InnoDB",
			foreign: "ADD CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `wp_b` (`id`)",
		},
		{name: "not complete", create: "CREATE TABLE t (id int, PRIMARY KEY (id), KEY (v) ENGINE=InnoDB"},
		{name: "empty definitions", create: "CREATE TABLE t (,) ENGINE=InnoDB"},
		{name: "a copy", create: "CREATE TABLE t LIKE u"},
	} {
		t.Run(c.name, func(t *testing.T) {
			short, keys := withoutKeys([]byte(c.create), false)
			if c.short == "" {
				if keys != nil {
					t.Errorf("taken apart into %q and %+v", short, keys)
				}
				return
			}
			if keys == nil {
				t.Fatal("not taken apart")
			}
			if got := strings.Join(strings.Fields(string(short)), " "); got != strings.Replace(c.short, "(`", "( `", 1) {
				t.Errorf("short: %s", got)
			}
			if got := strings.Join(keys.keys, "; "); got != c.keys {
				t.Errorf("keys: %s", got)
			}
			if got := strings.Join(keys.foreign, "; "); got != c.foreign {
				t.Errorf("foreign keys: %s", got)
			}
		})
	}
}
