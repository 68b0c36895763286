-- Every kind of thing a database can hold, with the values at the edges.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
SET foreign_key_checks = 0;

CREATE SEQUENCE `se``q` START WITH 100 INCREMENT BY 7 MINVALUE 1 MAXVALUE 99999 CACHE 10 CYCLE;
SELECT NEXTVAL(`se``q`), NEXTVAL(`se``q`);
CREATE SEQUENCE plain_seq;

CREATE TABLE numbers (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  ti tinyint, tu tinyint unsigned zerofill, si smallint, mi mediumint, i int(5) zerofill, bi bigint, bu bigint unsigned,
  b1 bit(1), b64 bit(64), f float, ff float(7,2), d double, dd double(10,3), n decimal(65,30), m decimal(10,0), y year, bo bool
) AUTO_INCREMENT = 5000;
INSERT INTO numbers VALUES
 (0,-128,0,-32768,-8388608,0,-9223372036854775808,0,b'0',b'0',-3.4028234e38,-99999.99,-1.7976931348623157e308,-9999999.999,-99999999999999999999999999999999999.999999999999999999999999999999,-9999999999,1901,0),
 (1,127,255,32767,8388607,4294967295,9223372036854775807,18446744073709551615,b'1',0xFFFFFFFFFFFFFFFF,3.4028234e38,99999.99,1.7976931348623157e308,9999999.999,99999999999999999999999999999999999.999999999999999999999999999999,9999999999,2155,1),
 (2,0,7,0,0,42,0,9223372036854775808,b'0',b'101',0.1,0.1,0.1,0.001,0.000000000000000000000000000001,0,0000,1),
 (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,16777217,1.17,2.2250738585072014e-308,-0e0,-0.5,NULL,1999,NULL),
 (18446744073709551614,1,1,1,1,1,1,1,b'1',b'1',1.17549435e-38,-0e0,-0e0,123456.789,1,1,1,1),
 (7,1,1,1,1,1,1,1,b'1',b'1',123456789,12345.67,1e21,1,1,1,2000,1);

CREATE TABLE times (
  d date, t time(6), dt datetime(6), ts timestamp(6) NULL DEFAULT NULL, ts2 timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  dz datetime DEFAULT '0000-00-00 00:00:00', KEY (d));
INSERT INTO times VALUES
 ('0000-00-00','-838:59:59.999999','0000-00-00 00:00:00','0000-00-00 00:00:00','1970-01-01 00:00:01','0000-00-00 00:00:00'),
 ('9999-12-31','838:59:59.999999','9999-12-31 23:59:59.999999','2038-01-19 03:14:07.999999','2038-01-19 03:14:07','2024-00-00 00:00:00'),
 ('2024-02-30','00:00:00.000001','1000-01-01 00:00:00.000001',NULL,'2024-03-31 02:30:00','2024-02-00 12:00:00'),
 (NULL,NULL,NULL,NULL,'2024-10-27 01:30:00',NULL);

CREATE TABLE texts (
  id int PRIMARY KEY, c char(10), v varchar(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci DEFAULT 'it''s \\ ü "x"',
  l1 varchar(300) CHARACTER SET latin1 COLLATE latin1_german1_ci, a varchar(20) CHARACTER SET ascii,
  u3 text CHARACTER SET utf8mb3, tt tinytext, mt mediumtext, lt longtext, e enum('a','b''c','d,e','ü') , s set('x','y','z w') , j json,
  u16 varchar(50) CHARACTER SET utf16, u2 varchar(50) CHARACTER SET ucs2, u32 varchar(50) CHARACTER SET utf32,
  bin_ci varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ip inet6, u uuid
) COMMENT='it''s a "comment" with ü\nand a newline';
INSERT INTO texts (id,c,v,l1,a,u3,tt,mt,lt,e,s,j,u16,u2,u32,bin_ci,ip,u) VALUES
 (1,'','',  '', '', '', '', '', '', 'a', '', '{}', '', '', '', '', '::1', '123e4567-e89b-12d3-a456-426614174000'),
 (2,'x  ','😀 '' " \\ \0 \n \r \Z \t % _ ` ; -- # /* */', 'äöü€\'', 'plain', 'ÄÖ日本', '\\', '\'', 'a:1:{s:3:"url";s:20:"http://example.com/ü";}', 'b''c', 'x,z w', '{"a":"\\u00fc\\n😀","b":[1,2.50]}', '😀u16', 'ucs2 ü', '😀32', 'Ab', 'fe80::1', '00000000-0000-0000-0000-000000000000'),
 (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
 (4,'tab\t',REPEAT('ü\'\\',100),0x80818D8F909D9FA0FFE927,'~',REPEAT('x',70),'𝒳',REPEAT('é',1000),REPEAT('\\',3000),'ü','y','[]','','','',' trailing ','1.2.3.4',NULL);
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT IGNORE INTO texts (id, e) VALUES (5, 'not there');

CREATE TABLE legacy (id int PRIMARY KEY, sj varchar(50) CHARACTER SET sjis, gb varchar(50) CHARACTER SET gbk, b5 varchar(50) CHARACTER SET big5,
  cp varchar(300) CHARACTER SET cp1251, gr varchar(50) CHARACTER SET greek, ko varchar(50) CHARACTER SET koi8r, l2 varchar(50) CHARACTER SET latin2,
  u8 varchar(50) CHARACTER SET utf8mb4, l1 varchar(50) CHARACTER SET latin1, u16 varchar(20) CHARACTER SET utf16, n int, bl blob, en enum('я','b') CHARACTER SET cp1251);
INSERT INTO legacy VALUES (1,'表ソ能','運\'行','功許','Привет \' \\','Ωμέγα','Привет','żółć','😀','ü','😀',1,'\0\'','я'),(2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);

CREATE TABLE blobs (id int PRIMARY KEY, b binary(5), vb varbinary(300), tb tinyblob, bb blob, mb mediumblob, lb longblob, cb blob COMPRESSED);
INSERT INTO blobs VALUES (1,'\0\0','','','','','',''),(2,'ab\0','\0\n\r\Z\'"\\%_',0xFFFE,0x00,NULL,'http://example.com/','x'),
 (3,NULL,CONCAT(0x00010203040506070809,0x0A0B0C0D0E0F101112131415161718191A1B1C1D1E1F,0x808182FEFF27275C5C),NULL,NULL,NULL,NULL,REPEAT('z',5000));
INSERT INTO blobs SELECT 4,NULL,NULL,NULL,NULL,NULL,REPEAT(0x00275C0AFF61E48D1A,16*1024*1024/9),NULL;

CREATE TABLE shapes (id int PRIMARY KEY, g geometry, p point NOT NULL, l linestring, po polygon, mp multipoint, gc geometrycollection, SPATIAL KEY (p)) ENGINE=InnoDB;
INSERT INTO shapes VALUES (1,ST_GeomFromText('POINT(1.5 -2.25)',4326),POINT(0.1,1e300),ST_GeomFromText('LINESTRING(0 0,1 1,2 2)'),ST_GeomFromText('POLYGON((0 0,0 5,5 5,0 0))'),ST_GeomFromText('MULTIPOINT(1 1,2 2)'),ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')),(2,NULL,POINT(0,0),NULL,NULL,NULL,NULL);

CREATE TABLE computed (a int, v int AS (a * 2) VIRTUAL, hidden varchar(10) INVISIBLE DEFAULT 'h', p int AS (a + 1) STORED, last varchar(36) DEFAULT (concat('x', 'y')),
  num int NOT NULL DEFAULT nextval(`se``q`), ck int CHECK (ck > 0), KEY (v), CONSTRAINT named CHECK (a < 1000));
INSERT INTO computed (a, hidden, num, ck) VALUES (1,'one',1,1),(2,'it''s',2,2);
SET check_constraint_checks = 0;
INSERT INTO computed (a, hidden, num, ck) VALUES (5000,NULL,3,-1);
SET check_constraint_checks = 1;
CREATE TABLE allgenerated (g int AS (1 + 1) STORED);
CREATE TABLE `versioned` (x int) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1);

CREATE TABLE tree (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE) ENGINE=InnoDB;
INSERT INTO tree VALUES (1, 3), (2, 1), (3, 2), (4, 4), (5, NULL);
CREATE TABLE a_child (id int PRIMARY KEY, z int, CONSTRAINT `fk 'x'` FOREIGN KEY (z) REFERENCES z_parent (id));
CREATE TABLE z_parent (id int PRIMARY KEY, c int, FOREIGN KEY (c) REFERENCES a_child (id));
INSERT INTO a_child VALUES (1, 1); INSERT INTO z_parent VALUES (1, 1);

CREATE TABLE parted (id int NOT NULL, k varchar(10) NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (id) SUBPARTITION BY KEY (k) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1,'a'),(10,'b'),(99,'c');
CREATE TABLE isam (id int AUTO_INCREMENT PRIMARY KEY, t text, FULLTEXT KEY (t)) ENGINE=MyISAM;
INSERT INTO isam (t) VALUES ('full text'), ('more');
CREATE TABLE aria (x int) ENGINE=Aria; INSERT INTO aria VALUES (1);
CREATE TABLE packed (id int PRIMARY KEY, t text) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 CHARSET=latin1;
CREATE TABLE empty_table (id int);

CREATE TABLE `na``me "with' ünd 日本 spaces;` (`co``l "1"` int PRIMARY KEY, `select` varchar(5), `a;b -- c` int, `日本` int) COMMENT='x;y';
INSERT INTO `na``me "with' ünd 日本 spaces;` VALUES (1,'x',2,3);
CREATE TABLE `a``,``b` (x int); INSERT INTO `a``,``b` VALUES (1);
CREATE TABLE `.dots.and-dash/slash` (x int);

CREATE VIEW b_view AS SELECT id, v, CONCAT(v, ' ', 'ü''s') AS `odd "name"` FROM texts;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW a_view AS SELECT b.id, n.d FROM b_view b JOIN numbers n ON n.id = b.id WHERE b.id < 10 WITH CASCADED CHECK OPTION;
DELIMITER ;;
CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC COMMENT 'it''s' RETURN n * 2;;
CREATE FUNCTION `odd ``fn`(s text CHARACTER SET latin1) RETURNS varchar(100) DETERMINISTIC
BEGIN
  -- a comment; with a semicolon and 'quote
  DECLARE r varchar(100) DEFAULT 'ü;''';
  /* another; */ # and ' this
  SET r = CONCAT(r, "double ; \" quoted", `s`);
  RETURN r;
END;;
CREATE PROCEDURE proc(IN a int, OUT b varchar(20))
BEGIN
  IF a > 0 THEN SET b = 'pos'; ELSE SET b = 'neg'; END IF;
  SELECT 1; -- end
END -- tail
;;
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES';;
CREATE PROCEDURE "ansi"() BEGIN SELECT '\' AS "a;b", "id" FROM "texts"; END;;
SET sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE';;
CREATE VIEW c_view AS SELECT id, twice(id) AS t FROM a_view;;
CREATE TRIGGER trig1 BEFORE INSERT ON tree FOR EACH ROW BEGIN SET NEW.parent = COALESCE(NEW.parent, 1); END;;
CREATE TRIGGER trig3 BEFORE INSERT ON tree FOR EACH ROW SET @x = 'y;';;
CREATE TRIGGER trig2 BEFORE INSERT ON tree FOR EACH ROW PRECEDES trig3 SET @x = 'z';;
CREATE TRIGGER `tr ``4` AFTER DELETE ON `na``me "with' ünd 日本 spaces;` FOR EACH ROW INSERT INTO aria VALUES (2);;
CREATE DEFINER='stranger'@'10.0.%' TRIGGER foreign_definer AFTER INSERT ON aria FOR EACH ROW SET @y = 1;;
SET NAMES latin1;;
SET collation_connection = latin1_german1_ci;;
CREATE PROCEDURE latin_client() SELECT 'abc';;
SET NAMES utf8mb4;;
SET time_zone = '+05:30';;
CREATE EVENT ev1 ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ENDS '2036-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'it''s' DO BEGIN DELETE FROM aria WHERE x = 99; SELECT 1; END;;
SET time_zone = 'SYSTEM';;
CREATE EVENT ev2 ON SCHEDULE AT '2035-06-01 12:00:00' DISABLE DO SELECT ';';;
DELIMITER ;
