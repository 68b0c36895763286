-- What MySQL has otherwise than MariaDB, and what both have in MySQL's spelling.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
SET foreign_key_checks = 0;

CREATE TABLE numbers (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  ti tinyint, tu tinyint unsigned zerofill, si smallint, su smallint unsigned, mi mediumint, mu mediumint unsigned, i int, iu int unsigned, bi bigint, bu bigint unsigned,
  b1 bit(1), b9 bit(9), b64 bit(64), f float, d double, n decimal(65,30), y year, bo bool
) AUTO_INCREMENT = 5000;
INSERT INTO numbers VALUES
 (0,-128,0,-32768,0,-8388608,0,-2147483648,0,-9223372036854775808,0,b'0',b'0',b'0',-3.4028234e38,-1.7976931348623157e308,-99999999999999999999999999999999999.999999999999999999999999999999,1901,0),
 (1,127,255,32767,65535,8388607,16777215,2147483647,4294967295,9223372036854775807,18446744073709551615,b'1',b'111111111',0xFFFFFFFFFFFFFFFF,3.4028234e38,1.7976931348623157e308,99999999999999999999999999999999999.999999999999999999999999999999,2155,1),
 (2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,16777217,2.2250738585072014e-308,-0.5,0000,NULL),
 (18446744073709551614,1,1,1,1,1,1,1,1,1,1,b'1',b'101',b'1',1.17549435e-38,-0e0,1,2000,1);

CREATE TABLE times (d date, t time(6), dt datetime(6), ts timestamp(6) NULL DEFAULT NULL,
  ts2 timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, dz datetime DEFAULT '0000-00-00 00:00:00', KEY (d));
INSERT INTO times VALUES
 ('0000-00-00','-838:59:59.000000','0000-00-00 00:00:00','0000-00-00 00:00:00','1970-01-01 00:00:01','0000-00-00 00:00:00'),
 ('9999-12-31','838:59:59.000000','9999-12-31 23:59:59.499999','2038-01-19 03:14:07.499999','2038-01-19 03:14:07','2024-00-00 00:00:00'),
 (NULL,NULL,NULL,NULL,'2024-03-31 02:30:00',NULL);

CREATE TABLE texts (id int PRIMARY KEY, c char(10), v varchar(500) COLLATE utf8mb4_0900_as_cs DEFAULT 'it''s \\ ü "x"', l1 varchar(300) CHARACTER SET latin1 COLLATE latin1_german1_ci,
  tt tinytext, mt mediumtext, lt longtext, e enum('a','b''c','d,e','ü'), s set('x','y','z w'), j json, u16 varchar(50) CHARACTER SET utf16, sj varchar(50) CHARACTER SET sjis,
  ex varchar(50) DEFAULT (concat('a', 'b''s')), hidden int INVISIBLE DEFAULT 7, g int GENERATED ALWAYS AS (id + 1) VIRTUAL, st varchar(20) GENERATED ALWAYS AS (concat(c, '!')) STORED,
  CONSTRAINT `ch 'k'` CHECK (id < 1000), KEY pre (v(3)), KEY down (c DESC, id), KEY blind (l1) INVISIBLE, KEY fun ((lower(c))), KEY gen (g), FULLTEXT KEY ft (lt)
) COMMENT='it''s a "comment" with ü\nand a newline';
INSERT INTO texts (id,c,v,l1,tt,mt,lt,e,s,j,u16,sj,hidden) VALUES
 (1,'','','','','','','a','','{}','','',1),
 (2,'x','😀 '' " \\ \0 \n \r \Z \t % _ ` ; -- # /* */','äöü€\'','\\','\'','a:1:{s:3:"url";s:20:"http://example.com/ü";}','b''c','x,z w','{"a": "\\u00fc\\n😀", "b": [1, 2.5, true, null]}','😀u16','表ソ能',2),
 (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
 (4,'tab\t',REPEAT('ü\'\\',100),0x80FFE927,'~',REPEAT('é',1000),REPEAT('\\',3000),'ü','y','"text"','','',4);

CREATE TABLE multi (id int PRIMARY KEY, j json, KEY zips ((CAST(j->'$.zip' AS UNSIGNED ARRAY))));
INSERT INTO multi VALUES (1, '{"zip": [1, 2]}'), (2, '{"zip": []}');
CREATE TABLE vectors (id int PRIMARY KEY, v vector(3));
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1, -2.5, 3e10]')), (2, NULL);

CREATE TABLE blobs (id int PRIMARY KEY, b binary(5), vb varbinary(300), tb tinyblob, bb blob, mb mediumblob, lb longblob);
INSERT INTO blobs VALUES (1,'\0\0','','','','',''),(2,'ab\0','\0\n\r\Z\'"\\%_',0xFFFE,0x00,NULL,'http://example.com/'),
 (3,NULL,0x0001808182FEFF27275C5C,NULL,NULL,NULL,NULL);
INSERT INTO blobs SELECT 4,NULL,NULL,NULL,NULL,NULL,REPEAT(0x00275C0AFF61E48D1A,16*1024*1024/9);

CREATE TABLE shapes (id int PRIMARY KEY, g geometry, p point NOT NULL SRID 4326, l linestring, po polygon, mp multipoint, ml multilinestring, mpo multipolygon, gc geometrycollection, SPATIAL KEY (p));
INSERT INTO shapes VALUES (1,ST_GeomFromText('POINT(1.5 -2.25)',4326),ST_GeomFromText('POINT(48.1 11.5)',4326),ST_GeomFromText('LINESTRING(0 0,1 1,2 2)'),
 ST_GeomFromText('POLYGON((0 0,0 5,5 5,0 0))'),ST_GeomFromText('MULTIPOINT(1 1,2 2)'),ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'),
 ST_GeomFromText('MULTIPOLYGON(((0 0,0 5,5 5,0 0)))'),ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'));

CREATE TABLE tree (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE);
INSERT INTO tree VALUES (1, 3), (2, 1), (3, 2), (4, 4), (5, NULL);
CREATE TABLE a_child (id int PRIMARY KEY, z int, CONSTRAINT `fk 'x'` FOREIGN KEY (z) REFERENCES z_parent (id));
CREATE TABLE z_parent (id int PRIMARY KEY, c int, FOREIGN KEY (c) REFERENCES a_child (id));
INSERT INTO a_child VALUES (1, 1); INSERT INTO z_parent VALUES (1, 1);
CREATE TABLE parted (id int NOT NULL, k varchar(10) NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (id) SUBPARTITION BY KEY (k) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1,'a'),(10,'b'),(99,'c');
CREATE TABLE isam (id int AUTO_INCREMENT PRIMARY KEY, t text, FULLTEXT KEY (t)) ENGINE=MyISAM;
INSERT INTO isam (t) VALUES ('full text'), ('more');
CREATE TABLE `na``me "with' ünd 日本 spaces;` (`co``l "1"` int PRIMARY KEY, `select` varchar(5), `a;b -- c` int, `日本` int) COMMENT='x;y';
INSERT INTO `na``me "with' ünd 日本 spaces;` VALUES (1,'x',2,3);

CREATE VIEW b_view AS SELECT id, v, CONCAT(v, ' ', 'ü''s') AS `odd "name"` FROM texts;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW a_view AS SELECT b.id, n.d FROM b_view b JOIN numbers n ON n.id = b.id WHERE b.id < 10;
DELIMITER ;;
CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC COMMENT 'it''s' RETURN n * 2;;
CREATE PROCEDURE proc(IN a int, OUT b varchar(20)) SQL SECURITY INVOKER READS SQL DATA
BEGIN
  -- a comment; with a semicolon and 'quote
  IF a > 0 THEN SET b = 'pos;'; ELSE SET b = "neg \" ü"; END IF;
  SELECT 1; # end
END;;
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES';;
CREATE PROCEDURE "ansi"() BEGIN SELECT '\' AS "a;b", "id" FROM "texts"; END;;
SET sql_mode = 'STRICT_TRANS_TABLES';;
CREATE VIEW c_view AS SELECT id, twice(id) AS t FROM a_view;;
CREATE TRIGGER trig1 BEFORE INSERT ON tree FOR EACH ROW BEGIN SET NEW.parent = COALESCE(NEW.parent, 1); END;;
CREATE TRIGGER trig3 BEFORE INSERT ON tree FOR EACH ROW SET @x = 'y;';;
CREATE TRIGGER trig2 BEFORE INSERT ON tree FOR EACH ROW PRECEDES trig3 SET @x = 'z';;
SET time_zone = '+05:30';;
CREATE EVENT ev1 ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ENDS '2036-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'it''s' DO BEGIN DELETE FROM parted WHERE id = 99; SELECT 1; END;;
SET time_zone = 'SYSTEM';;
CREATE EVENT ev2 ON SCHEDULE AT '2035-06-01 12:00:00' DISABLE DO SELECT ';';;
DELIMITER ;
