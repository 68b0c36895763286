package mysql_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestHostileScripts runs as an administrator on purpose: what is refused is refused by the loader, not by the lack of
// privileges.
func TestHostileScripts(t *testing.T) {
	s := mysqltest.Start(t)
	target, other := s.Database(t), s.Database(t)
	db := open(t, s.Config())
	exec1(t.Context(), t, db, "CREATE TABLE "+other.Database+".victim (id int)")
	for _, script := range []string{
		"USE OTHER;", "use `OTHER`;", "/*!40000 USE OTHER */;", "/*!99999 INSERT*/ USE OTHER;", "/*M! USE OTHER */;",
		"/*M!999999 INSERT*/ /*!USE*/ OTHER;", "-- x\nUSE OTHER;", "/* INSERT */ USE OTHER;",
		"CREATE DATABASE evil;", "/*!32312 CREATE DATABASE IF NOT EXISTS evil*/;", "DROP DATABASE OTHER;", "DROP SCHEMA OTHER;",
		"GRANT ALL ON *.* TO evil@'%';", "CREATE USER evil;", "CREATE OR REPLACE USER evil;", "DROP USER admin;", "ALTER USER admin IDENTIFIED BY 'x';",
		"SET PASSWORD = 'x';", "SET @x = 1, PASSWORD FOR admin = 'x';", "CREATE ROLE evil;", "SET ROLE evil;", "SET DEFAULT ROLE evil;",
		"SET GLOBAL max_connections = 1;", "SET @@GLOBAL.max_connections = 1;", "SET @@global . max_connections = 1;",
		"SET /*!50003 GLOBAL */ max_connections = 1;", "SET @a = 1, GLOBAL max_connections = 1;", "SET PERSIST max_connections = 1;",
		"SET STATEMENT max_statement_time=1 FOR DROP DATABASE OTHER;", "SET @x = (SELECT 1);", "SET NAMES gbk;", "SET character_set_client = 'sjis';",
		"LOAD DATA INFILE '/etc/passwd' INTO TABLE x;", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE x;", "LOAD XML INFILE 'x' INTO TABLE x;",
		"SELECT 1 INTO OUTFILE '/tmp/evil';", "SELECT SLEEP(100);", "DO SLEEP(100);", "DO RELEASE_ALL_LOCKS();",
		"INSERT INTO OTHER.victim VALUES (1);", "INSERT IGNORE INTO `OTHER` . `victim` VALUES (1);", "REPLACE OTHER.victim VALUES (1);",
		"DROP TABLE OTHER.victim;", "DROP TABLE IF EXISTS x, OTHER.victim;", "TRUNCATE OTHER.victim;", "TRUNCATE TABLE OTHER.victim;",
		"CREATE TABLE OTHER.evil (id int);", "CREATE OR REPLACE TABLE `OTHER`.`victim` (id int);", "ALTER TABLE OTHER.victim ADD x int;",
		"CREATE DEFINER=root@localhost TRIGGER OTHER.evil BEFORE INSERT ON victim FOR EACH ROW SET @x = 1;", "CREATE INDEX i ON OTHER.victim (id);",
		"DROP INDEX i ON OTHER.victim;", "CREATE VIEW OTHER.v AS SELECT 1;", "CREATE EVENT OTHER.e ON SCHEDULE EVERY 1 DAY DO SELECT 1;",
		"RENAME TABLE OTHER.victim TO x;", "UPDATE OTHER.victim SET id = 1;", "DELETE FROM OTHER.victim;", "HANDLER OTHER.victim OPEN;",
		"CREATE FUNCTION f RETURNS STRING SONAME 'evil.so';", "INSTALL PLUGIN x SONAME 'y';", "SHUTDOWN;", "KILL 1;", "FLUSH PRIVILEGES;", "RESET MASTER;",
		"CALL OTHER.p();", "PREPARE s FROM 'DROP DATABASE OTHER'; EXECUTE s;", "EXECUTE IMMEDIATE 'DROP DATABASE OTHER';", "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x');",
		"DELIMITER //\nBEGIN NOT ATOMIC DROP DATABASE OTHER; END//", "source /etc/passwd;", "\\! touch /tmp/evil\n;", "\\. /etc/passwd\n;", "system id;", "(SELECT 1);",
		"START SLAVE;", "ROLLBACK TO x;", "ALTER TABLE x RENAME TO OTHER.x;", "ALTER TABLE x ADD y int, RENAME OTHER.x;", "ALTER TABLE x EXCHANGE PARTITION p WITH TABLE OTHER.victim;",
		"ALTER EVENT e RENAME TO OTHER.e;", "CREATE UNIQUE INDEX i USING BTREE ON OTHER.victim (id);",
		"CHANGE MASTER TO MASTER_HOST='x';", "BACKUP STAGE START;", "ANALYZE TABLE x;", "DELIMITER '\nDROP DATABASE OTHER;",
	} {
		_, err := mysql.Load(t.Context(), target, strings.NewReader(strings.ReplaceAll(script, "OTHER", other.Database)), mysql.LoadOptions{})
		if !errors.Is(err, mysql.ErrRefused) {
			t.Errorf("%s: %v", script, err)
		} else if strings.Contains(err.Error(), target.Password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	var n int
	if err := db.QueryRow("SELECT COUNT(*) FROM " + other.Database + ".victim").Scan(&n); err != nil || n != 0 {
		t.Errorf("the neighbour was touched: %d, %v", n, err)
	}
}

// TestSeveralStatementsAtOnce: the server itself must refuse what the scanner might take for one statement.
func TestSeveralStatementsAtOnce(t *testing.T) {
	target := mysqltest.Start(t).Database(t)
	_, err := mysql.Load(t.Context(), target, strings.NewReader("DELIMITER //\nCREATE TABLE a (id int); CREATE TABLE b (id int)//"),
		mysql.LoadOptions{})
	if err == nil {
		t.Error("two statements went through as one")
	}
}

func TestHarmlessScripts(t *testing.T) {
	s := mysqltest.Start(t)
	for _, c := range []struct {
		name, script string
		options      mysql.LoadOptions
		want         mysql.LoadStats
	}{
		{"empty", "", mysql.LoadOptions{}, mysql.LoadStats{}},
		{"comments", "-- a\n# b ; '\n/* c ; */;;\n", mysql.LoadOptions{}, mysql.LoadStats{}},
		{"sandbox", "/*M!999999\\- enable the sandbox mode */ \n-- it's\nCREATE TABLE t (id int);", mysql.LoadOptions{}, mysql.LoadStats{Statements: 1, Tables: 1}},
		{"no last delimiter", "CREATE TABLE t (id int)", mysql.LoadOptions{}, mysql.LoadStats{Statements: 1, Tables: 1}},
		{"qualified by the target", "CREATE TABLE `TARGET`.t (id int); INSERT INTO TARGET.t VALUES (1);", mysql.LoadOptions{}, mysql.LoadStats{Statements: 2, Tables: 1}},
		{"binary log", "SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\nSET @@SESSION.SQL_LOG_BIN= 0;\nSET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'x:1';",
			mysql.LoadOptions{}, mysql.LoadStats{}},
		{"single database", "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `src` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\nUSE `src`;\nCREATE TABLE t (id int);\n-- Dump completed\n",
			mysql.LoadOptions{SingleDatabase: true}, mysql.LoadStats{Statements: 1, Tables: 1, Complete: true}},
		{"defaults of another name", "ALTER DATABASE `src` CHARACTER SET latin1 COLLATE latin1_swedish_ci;", mysql.LoadOptions{}, mysql.LoadStats{Statements: 1}},
		{"words of other verbs", "CREATE TABLE t (`use` varchar(50) DEFAULT 'GRANT; USE x'); INSERT INTO t VALUES ('/*!50000 USE mysql */; DROP');",
			mysql.LoadOptions{}, mysql.LoadStats{Statements: 2, Tables: 1}},
		{"definer in a body", "CREATE VIEW v AS SELECT definer = 'x' FROM information_schema.events;", mysql.LoadOptions{}, mysql.LoadStats{Statements: 1}},
		{"definer", "CREATE DEFINER=`no`@`10.0.%` VIEW v AS SELECT 1;", mysql.LoadOptions{Definer: "root@localhost"}, mysql.LoadStats{Statements: 1, DefinersMapped: 1}},
		{"definer that exists", "CREATE DEFINER = root@localhost VIEW v AS SELECT 1;", mysql.LoadOptions{}, mysql.LoadStats{Statements: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := s.Database(t)
			script := strings.ReplaceAll(c.script, "TARGET", target.Database)
			c.want.Bytes = int64(len(script))
			stats, err := mysql.Load(t.Context(), target, strings.NewReader(script), c.options)
			if err != nil || stats != c.want {
				t.Errorf("got %+v, %v; want %+v", stats, err, c.want)
			}
		})
	}
	if _, err := mysql.Load(t.Context(), s.Database(t), strings.NewReader("USE a; USE b;"), mysql.LoadOptions{SingleDatabase: true}); !errors.Is(err, mysql.ErrRefused) {
		t.Errorf("two databases: %v", err)
	}
}

func TestBrokenScripts(t *testing.T) {
	target := mysqltest.Start(t).Database(t)
	for _, c := range []struct {
		name, script string
		want         error
	}{
		{"in a string", "INSERT INTO t VALUES ('abc", mysql.ErrTruncated},
		{"in a name", "INSERT INTO `t", mysql.ErrTruncated},
		{"in a comment", "/* abc", mysql.ErrTruncated},
		{"too long", "INSERT INTO t VALUES ('" + strings.Repeat("x", 1<<20) + "');", mysql.ErrTooLarge},
	} {
		_, err := mysql.Load(t.Context(), target, strings.NewReader(c.script), mysql.LoadOptions{MaxStatement: 1 << 19})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, err := mysql.Load(t.Context(), target, bytes.NewReader([]byte("CREATE TABLE t (id int);\nINSERT INTO nowhere VALUES (1);")), mysql.LoadOptions{})
	if err == nil || !strings.Contains(err.Error(), "byte 25 (INSERT INTO nowhere") {
		t.Errorf("the error does not say where: %v", err)
	}
}
