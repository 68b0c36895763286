-- More of every kind than torture.sql has. What a version lacks stands in executable comments.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
SET foreign_key_checks = 0;

-- Numbers: both ends of every width, signed and unsigned, and the smallest steps.
CREATE TABLE edge_integers (t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned, m mediumint, mu mediumint unsigned,
  i int, iu int unsigned, b bigint, bu bigint unsigned, z bigint(20) unsigned zerofill, o boolean);
INSERT INTO edge_integers VALUES
 (-128,0,-32768,0,-8388608,0,-2147483648,0,-9223372036854775808,0,0,false),
 (127,255,32767,65535,8388607,16777215,2147483647,4294967295,9223372036854775807,18446744073709551615,18446744073709551615,true),
 (-1,1,-1,1,-1,1,-1,1,-1,1,1,-128), (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE edge_reals (f float, fu float unsigned, f24 float(24), d double, du double unsigned, p double precision zerofill, r real, dec65 decimal(65,0), dec38 decimal(38,38), dec1 decimal(1,0) unsigned, n numeric(65,30) unsigned);
INSERT INTO edge_reals VALUES
 (3.402823466e38,3.402823466e38,-3.402823466e38,1.7976931348623157e308,1.7976931348623157e308,1,-1.7976931348623157e308,REPEAT('9',65),CONCAT('0.',REPEAT('9',38)),9,CONCAT(REPEAT('9',35),'.',REPEAT('9',30))),
 (1.17549435e-38,1.4e-45,-1.17549435e-38,2.2250738585072014e-308,5e-324,0.1,-5e-324,CONCAT('-',REPEAT('9',65)),CONCAT('-0.',REPEAT('0',37),'1'),0,'0.000000000000000000000000000001'),
 (0.3,1e7,16777217,0.1,1e15,1e16,123456789012345680,0,0,1,0.5), (1e-7,999999.94,-0.1,9007199254740993,1e-5,1e21,4.35,-1,1e-38,5,1e34);
CREATE TABLE edge_bits (b1 bit, b7 bit(7), b8 bit(8) DEFAULT b'10101010', b9 bit(9), b31 bit(31), b33 bit(33), b63 bit(63), b64 bit(64));
INSERT INTO edge_bits VALUES (0,0,0,0,0,0,0,0), (1,127,255,511,2147483647,8589934591,9223372036854775807,18446744073709551615),
 (b'1',b'1',b'100111',b'100100111',b'1',b'1',b'1',b'101110000100111'), (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);

-- Times of every precision, and the last and first that there are.
CREATE TABLE edge_times (d date, y year, y4 year(4), t0 time, t1 time(1), t3 time(3), t6 time(6), d0 datetime, d1 datetime(1), d3 datetime(3), d6 datetime(6),
  s0 timestamp NULL, s1 timestamp(1) NULL, s3 timestamp(3) NULL, s6 timestamp(6) NULL DEFAULT '2001-02-03 04:05:06.789012' ON UPDATE current_timestamp(6), zero date NOT NULL DEFAULT '0000-00-00');
INSERT INTO edge_times VALUES
 ('1000-01-01',1901,0,'-838:59:59','-838:59:59.9','-838:59:59.999','-838:59:59.999999','1000-01-01 00:00:00','1000-01-01 00:00:00.1','1000-01-01 00:00:00.001','1000-01-01 00:00:00.000001',
  '1970-01-01 00:00:01','1970-01-01 00:00:01.1','1970-01-01 00:00:01.001','1970-01-01 00:00:01.000001','0000-00-00'),
 ('9999-12-31',2155,2155,'838:59:59','838:59:59.9','838:59:59.999','838:59:59.999999','9999-12-31 23:59:59','9999-12-31 23:59:59.9','9999-12-31 23:59:59.999','9999-12-31 23:59:59.999999',
  '2038-01-19 03:14:07','2038-01-19 03:14:07.9','2038-01-19 03:14:07.999','2038-01-19 03:14:07.999999','9999-00-00'),
 ('0001-01-01',0000,1970,'00:00:00','-00:00:00.1','-00:00:00.001','-00:00:00.000001','0000-00-00 00:00:00','0000-00-00 00:00:00','0001-01-01 00:00:00','2024-02-00 00:00:00',
  '0000-00-00 00:00:00','2024-03-31 02:30:00.5','2024-10-27 00:30:00.125','2024-10-27 01:30:00.5','2024-02-30'),
 (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2024-02-29');
/*M!110500 CREATE TABLE edge_late_times (s timestamp(6) NULL) */;
/*M!110500 INSERT INTO edge_late_times VALUES ('2038-01-19 03:14:08.000001'), ('2106-02-07 06:28:15.999999') */;

-- Texts and blobs of every size, full to the brim; more members than a byte counts.
CREATE TABLE edge_sizes (id int PRIMARY KEY, c0 char(0), c255 char(255), v0 varchar(0), tt tinytext, t text, mt mediumtext, lt longtext,
  b255 binary(255), vb0 varbinary(0), tb tinyblob, b blob, mb mediumblob, lb longblob, t9 text(9), b9 blob(9)) CHARSET=latin1;
INSERT INTO edge_sizes SELECT 1,'',REPEAT('é',255),'',REPEAT('\'',255),REPEAT('\\',65535),REPEAT('m"',200000),REPEAT('l\n',300000),
  REPEAT(0xFF,255),'',REPEAT('\0',255),REPEAT(0x1A,65535),NULL,REPEAT(0x5C27,300000),REPEAT('9',255),REPEAT(0x00,255);
INSERT INTO edge_sizes (id, mb) SELECT 2,REPEAT('m',16777215);
CREATE TABLE edge_wide (v varchar(16383) CHARACTER SET utf8mb4);
INSERT INTO edge_wide VALUES (REPEAT('😀',16383)), ('');
CREATE TABLE edge_sets (s set('00','01','02','03','04','05','06','07','08','09','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25','26','27','28','29','30','31',
  '32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58','59','60','61','62','63'),
  e enum('','a b','it''s','"','\\','`',';','--','日本','/*') CHARACTER SET utf8mb4 NOT NULL DEFAULT 'it''s', l enum('ä','ö') CHARACTER SET latin1 COLLATE latin1_german2_ci);
INSERT INTO edge_sets VALUES (18446744073709551615,'\\','ä'), (9223372036854775808,'日本','ö'), (0,'',NULL), ('00,63',';','ä');

-- Types that only some versions have.
CREATE TABLE edge_inet6 (a inet6 PRIMARY KEY);
INSERT INTO edge_inet6 VALUES ('::'), ('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), ('::ffff:192.0.2.1'), ('2001:db8::5c27');
/*M!101001 CREATE TABLE edge_inet4 (a inet4 NOT NULL DEFAULT '127.0.0.1', b int, KEY (a)) */;
/*M!101001 INSERT INTO edge_inet4 VALUES ('0.0.0.0',1), ('255.255.255.255',2), ('39.92.0.10',3) */;
/*M!100700 CREATE TABLE edge_uuids (u uuid PRIMARY KEY DEFAULT uuid(), n int) */;
/*M!100700 INSERT INTO edge_uuids VALUES ('00000000-0000-0000-0000-000000000000',1), ('ffffffff-ffff-ffff-ffff-ffffffffffff',2), ('123e4567-e89b-12d3-a456-426655440000',3), ('5c275c27-005c-475c-a75c-27005c27005c',4) */;
/*M!110701 CREATE TABLE edge_vectors (id int PRIMARY KEY, v vector(4) NOT NULL, VECTOR KEY near (v) M=8 DISTANCE=cosine) */;
/*M!110701 INSERT INTO edge_vectors VALUES (1,Vec_FromText('[0,-1.5,3e38,1e-38]')), (2,Vec_FromText('[0.1,0.2,0.3,0.4]')) */;

-- Character sets: of tables, columns and literals, in definitions too.
CREATE TABLE edge_collations (id int PRIMARY KEY, d varchar(20), b varchar(20) COLLATE latin1_bin, g varchar(20) COLLATE latin1_german2_ci, u varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci,
  m varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_polish_ci, n varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin DEFAULT '😀 ü', x char(5) CHARACTER SET binary, w char(5) CHARACTER SET swe7, UNIQUE KEY (g), KEY (u(3)))
  CHARSET=latin1 COLLATE=latin1_swedish_ci COMMENT='ü and \'quotes\' "too" \\ and `ticks`';
INSERT INTO edge_collations VALUES (1,'äöüß€','Ab','ä','straße','łódź','a ',0xFF00FE,'a{'), (2,'ÿ','aB','b','STRASSE','x','a','','}');
CREATE TABLE edge_binary (v varchar(20), t text) CHARSET=binary;
INSERT INTO edge_binary VALUES (0x00FF5C27,0x80);
CREATE TABLE edge_emoji (v varchar(20) DEFAULT '😀', w varchar(20) AS (concat(v, 'ü')) VIRTUAL, x varchar(20) AS (concat(v, '日本')) STORED, CONSTRAINT emoji CHECK (v <> 'ß'), l varchar(9) CHARACTER SET latin1 DEFAULT 'ä€') CHARSET=utf8mb4;
INSERT INTO edge_emoji (v) VALUES ('👩‍👩‍👧'), (DEFAULT);
/*M!101000 CREATE TABLE edge_uca (v varchar(20) COLLATE utf8mb4_uca1400_as_cs) CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci */;
/*M!101000 INSERT INTO edge_uca VALUES ('Ärger'), ('😀') */;

-- Shapes of all kinds; the last ones are empty or have a system of reference.
CREATE TABLE edge_shapes (p point, l linestring, po polygon, mp multipoint, ml multilinestring, mpo multipolygon, gc geometrycollection, g geometry NOT NULL, SPATIAL KEY (g)) ENGINE=Aria;
INSERT INTO edge_shapes VALUES (ST_GeomFromText('POINT(-1e300 5e-324)'),ST_GeomFromText('LINESTRING(0 0,1e9 -1)'),ST_GeomFromText('POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 2,1 1))'),
  ST_GeomFromText('MULTIPOINT(0 0,1 1)'),ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'),ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))'),
  ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),GEOMETRYCOLLECTION(LINESTRING(0 0,1 1)))'),ST_GeomFromText('POINT(1 2)',4326)),
 (NULL,NULL,NULL,NULL,NULL,NULL,ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'),ST_GeomFromText('LINESTRING(39 92,0 10)',3857));

-- JSON, as the server stores it and as a person wrote it.
CREATE TABLE edge_json (id int PRIMARY KEY, j json NOT NULL DEFAULT json_object('a', 'b''c'), k longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (json_valid(k)), v varchar(50) AS (json_value(j, '$.url')) VIRTUAL, KEY (v));
INSERT INTO edge_json (id, j, k) VALUES (1,'{"url": "http:\\/\\/example.com\\/\\u00fc", "n": 1e400, "big": 18446744073709551616}','[ 1 , null,true ]'), (2,'"\\ud83d\\ude00\\"\\\\"',NULL), (3,DEFAULT,'0');

-- Columns that compute, hide or have defaults of their own.
CREATE TABLE edge_columns (id int NOT NULL AUTO_INCREMENT, a int NOT NULL DEFAULT (1 + 2), b int DEFAULT (a * 2), c datetime DEFAULT (current_timestamp() + interval 1 day), v int AS (a + b) VIRTUAL, s varchar(40) AS (concat('it''s ', a)) STORED UNIQUE,
  m varchar(32) AS (md5(s)) PERSISTENT, hid int INVISIBLE, hidgen int AS (a) VIRTUAL INVISIBLE, hidden_required int NOT NULL DEFAULT 5 INVISIBLE COMMENT 'it''s "hidden"', PRIMARY KEY (id), KEY (v, m));
INSERT INTO edge_columns (a, b, c, hid, hidden_required) VALUES (1,2,NULL,3,4), (5,DEFAULT,'2024-01-01',NULL,DEFAULT);
CREATE TABLE edge_packed (id int PRIMARY KEY, v varchar(1000) COMPRESSED, t text COMPRESSED=zlib, b mediumblob COMPRESSED DEFAULT NULL) PAGE_COMPRESSED=1;
INSERT INTO edge_packed VALUES (1,REPEAT('v',1000),REPEAT('t\'',9000),REPEAT(0x005C,90000)), (2,'',NULL,'');

-- Sequences: down, without a cache, at their end, in the middle of a cache.
CREATE SEQUENCE seq_down START WITH -5 INCREMENT BY -3 MINVALUE -1000 MAXVALUE -1 NOCACHE NOCYCLE;
CREATE SEQUENCE seq_done START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 3 CACHE 5 NOCYCLE ENGINE=InnoDB;
CREATE SEQUENCE seq_jump START WITH 10 INCREMENT BY 10 CACHE 1000 COMMENT='it''s "a" sequence';
CREATE SEQUENCE seq_aria ENGINE=Aria;
INSERT INTO edge_integers (b) VALUES (nextval(seq_down)), (nextval(seq_down)), (nextval(seq_jump)), (nextval(seq_aria));
DO SETVAL(seq_done, 3);
/*M!110500 CREATE SEQUENCE seq_small AS tinyint unsigned START WITH 200 MAXVALUE 254 */;
/*M!110500 CREATE SEQUENCE seq_large AS bigint unsigned START WITH 18446744073709551000 INCREMENT BY 1 */;
/*M!110500 DO SETVAL(seq_large, 18446744073709551500) */;
CREATE TABLE edge_drawn (id bigint DEFAULT (nextval(seq_jump)) PRIMARY KEY, v int);
INSERT INTO edge_drawn VALUES (7,1);

-- Partitions of every kind.
CREATE TABLE part_range (d date NOT NULL, n int) PARTITION BY RANGE (to_days(d)) (PARTITION `p ``1` VALUES LESS THAN (738000) COMMENT = 'it''s', PARTITION p2 VALUES LESS THAN (739000), PARTITION pm VALUES LESS THAN MAXVALUE);
INSERT INTO part_range VALUES ('2000-01-01',1), ('2022-01-01',2), ('2024-01-01',3);
CREATE TABLE part_columns (a varchar(9), b int) PARTITION BY RANGE COLUMNS (a, b) (PARTITION p1 VALUES LESS THAN ('g', 5), PARTITION p2 VALUES LESS THAN ('ü', MAXVALUE), PARTITION p3 VALUES LESS THAN (MAXVALUE, MAXVALUE));
INSERT INTO part_columns VALUES ('a',1), ('ö',2), ('ü',3);
CREATE TABLE part_list (n int) PARTITION BY LIST (n) (PARTITION p1 VALUES IN (1,2,NULL), PARTITION p2 VALUES IN (3), PARTITION rest DEFAULT);
INSERT INTO part_list VALUES (1), (NULL), (3), (99);
CREATE TABLE part_names (v varchar(9)) PARTITION BY LIST COLUMNS (v) (PARTITION p1 VALUES IN ('it''s','ä'), PARTITION p2 VALUES IN ('c'));
INSERT INTO part_names VALUES ('it''s'), ('c');
CREATE TABLE part_hash (n int) PARTITION BY LINEAR HASH (n) PARTITIONS 4;
INSERT INTO part_hash SELECT seq FROM seq_1_to_20;
CREATE TABLE part_key (k varchar(9), n int, UNIQUE KEY (k)) PARTITION BY KEY (k) PARTITIONS 3;
INSERT INTO part_key VALUES ('a',1), (NULL,2);
CREATE TABLE part_sub (d date NOT NULL, n int) PARTITION BY RANGE (year(d)) SUBPARTITION BY HASH (to_days(d)) (PARTITION p0 VALUES LESS THAN (2000) (SUBPARTITION s0, SUBPARTITION s1), PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3));
INSERT INTO part_sub VALUES ('1999-12-31',1), ('2000-01-01',2);
CREATE TABLE part_stamp (s timestamp NOT NULL) PARTITION BY RANGE (unix_timestamp(s)) (PARTITION p0 VALUES LESS THAN (unix_timestamp('2024-01-01 00:00:00')), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO part_stamp VALUES ('2023-12-31 23:59:59'), ('2024-01-01 00:00:00');

-- Foreign keys in a circle of three, to a key that is not the primary one, of two columns.
CREATE TABLE fk_a (id int PRIMARY KEY, b int, UNIQUE KEY u (b), CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES fk_b (id) ON DELETE SET NULL ON UPDATE CASCADE) ENGINE=InnoDB;
CREATE TABLE fk_b (id int PRIMARY KEY, c int, CONSTRAINT b_to_c FOREIGN KEY (c) REFERENCES fk_c (id) ON DELETE RESTRICT) ENGINE=InnoDB;
CREATE TABLE fk_c (id int PRIMARY KEY, a int, up int, x varchar(9), y int, UNIQUE KEY xy (x, y), CONSTRAINT c_to_a FOREIGN KEY (a) REFERENCES fk_a (b), CONSTRAINT c_to_c FOREIGN KEY (up) REFERENCES fk_c (id) ON DELETE CASCADE) ENGINE=InnoDB;
CREATE TABLE fk_d (x varchar(9), y int, CONSTRAINT `d "to" c` FOREIGN KEY (x, y) REFERENCES fk_c (x, y) ON UPDATE NO ACTION) ENGINE=InnoDB;
INSERT INTO fk_a VALUES (1,2), (2,NULL); INSERT INTO fk_b VALUES (2,3); INSERT INTO fk_c VALUES (3,2,4,'x',1), (4,NULL,3,'x',2), (5,NULL,5,NULL,NULL); INSERT INTO fk_d VALUES ('x',1), ('x',NULL);

-- Indexes.
CREATE TABLE edge_indexes (id int, a varchar(100), b text, c int, d blob, e varchar(50) CHARACTER SET utf8mb4, PRIMARY KEY (c, id), UNIQUE KEY pre (a(10)), KEY `odd ``name` (a, c) COMMENT 'it''s "one"', UNIQUE KEY long_unique (b) USING HASH,
  KEY bytes (d(20)), FULLTEXT KEY ft (b), FULLTEXT KEY ft2 (a), KEY big (id) KEY_BLOCK_SIZE=1024 /*M!100800 , KEY down (c DESC, a) */ /*M!100600 , KEY blind (e) IGNORED */) ENGINE=InnoDB CHARSET=latin1;
INSERT INTO edge_indexes VALUES (1,'a','one two','3','\0','é'), (2,NULL,NULL,3,NULL,NULL), (3,'b','three','1',0xFF,'😀');
CREATE TABLE edge_desc (id int, a int, PRIMARY KEY (id DESC), KEY (a DESC, id ASC)) ENGINE=InnoDB;
INSERT INTO edge_desc VALUES (1,3), (2,2), (3,1);
CREATE TABLE edge_periods (id int, a date, b date, PERIOD FOR lasts (a, b), PRIMARY KEY (id, lasts WITHOUT OVERLAPS));
INSERT INTO edge_periods VALUES (1,'2024-01-01','2024-06-01'), (1,'2024-06-01','2025-01-01');

-- Engines, row formats and counters.
CREATE TABLE eng_memory (id int, v varchar(9), KEY (v) USING HASH, KEY (id) USING BTREE) ENGINE=MEMORY MAX_ROWS=99; INSERT INTO eng_memory VALUES (1,'x');
CREATE TABLE eng_csv (id int NOT NULL, v varchar(50) NOT NULL) ENGINE=CSV; INSERT INTO eng_csv VALUES (1,'a,"b"\n\\');
CREATE TABLE eng_isam (g char(3) NOT NULL, n int NOT NULL AUTO_INCREMENT, v char(9), PRIMARY KEY (g, n)) ENGINE=MyISAM ROW_FORMAT=FIXED PACK_KEYS=1 CHECKSUM=1 DELAY_KEY_WRITE=1 MIN_ROWS=1 AVG_ROW_LENGTH=50; INSERT INTO eng_isam (g, v) VALUES ('a','x'), ('a','y'), ('b','z');
CREATE TABLE eng_part1 (n int) ENGINE=MyISAM; INSERT INTO eng_part1 VALUES (1);
CREATE TABLE eng_merge (n int) ENGINE=MRG_MyISAM UNION=(eng_part1) INSERT_METHOD=LAST;
CREATE TABLE eng_aria (id int PRIMARY KEY, t text) ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=PAGE; INSERT INTO eng_aria VALUES (1,'x');
CREATE TABLE eng_redundant (id int PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=REDUNDANT STATS_PERSISTENT=0 STATS_SAMPLE_PAGES=9; INSERT INTO eng_redundant VALUES (0);
CREATE TABLE auto_gap (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=18446744073709551000; INSERT INTO auto_gap VALUES (0), (5);
CREATE TABLE auto_key (id tinyint NOT NULL AUTO_INCREMENT, v int, KEY (id)) AUTO_INCREMENT=100; INSERT INTO auto_key VALUES (-5,1), (3,2);
CREATE TABLE auto_empty (id int NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=77;

-- Old rows of versioned tables, which are not copied, and columns that are not versioned. When a row came in is when it
-- was loaded: in a table that shows it, like the stock dump of one, it could not be the same.
CREATE TABLE versions_hidden (id int PRIMARY KEY, v int, w int WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
SET timestamp = 1700000000;
INSERT INTO versions_hidden VALUES (1,1,1), (2,2,2);
SET timestamp = 1700000100.25;
REPLACE INTO versions_hidden VALUES (1,10,1);
SET timestamp = DEFAULT;

-- Views on views, under other modes, and what they see.
CREATE VIEW view_z AS SELECT a AS `a ``b`, '😀 it''s' AS emoji, _latin1 0xE4 AS l FROM edge_columns;
CREATE SQL SECURITY INVOKER VIEW view_y AS SELECT `a ``b`, count(*) AS n FROM view_z GROUP BY 1 HAVING n > 0 ORDER BY 1 LIMIT 5;
CREATE ALGORITHM=TEMPTABLE VIEW view_x AS SELECT * FROM view_y UNION ALL SELECT 1, 2;
CREATE VIEW view_local AS SELECT id, b FROM fk_a WHERE b > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW `view "quoted" ünd日本` AS WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n, row_number() OVER (ORDER BY n DESC) AS `row` FROM r;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
CREATE VIEW view_modes AS SELECT "id", 'a\' || 'b' AS "x""y" FROM "fk_a";
SET sql_mode = '';

DELIMITER ;;
CREATE FUNCTION fn_pure(a int, b varchar(50) CHARACTER SET latin1 COLLATE latin1_german1_ci) RETURNS enum('x','it''s') CHARACTER SET utf8mb4 NO SQL DETERMINISTIC SQL SECURITY INVOKER COMMENT 'it''s "😀"' RETURN 'it''s';;
CREATE FUNCTION fn_reads() RETURNS decimal(65,30) READS SQL DATA NOT DETERMINISTIC RETURN (SELECT max(n) FROM edge_reals);;
CREATE AGGREGATE FUNCTION fn_total(x int) RETURNS bigint CONTAINS SQL BEGIN DECLARE total bigint DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN total; LOOP FETCH GROUP NEXT ROW; SET total = total + x; END LOOP; END;;
CREATE PROCEDURE pr_all(IN a int, INOUT b varchar(9), OUT c json) MODIFIES SQL DATA SQL SECURITY INVOKER COMMENT ''
outer_block: BEGIN
  DECLARE done int DEFAULT 0; DECLARE name varchar(99) DEFAULT '; DELIMITER $$';
  DECLARE c1 CURSOR FOR SELECT v FROM edge_emoji; DECLARE CONTINUE HANDLER FOR SQLSTATE '02000' SET done = 1;
  -- '; DELIMITER ;;
  OPEN c1; again: REPEAT FETCH c1 INTO name; UNTIL done END REPEAT again; CLOSE c1;
  CASE a WHEN 1 THEN SET b = "it's"; ELSE LEAVE outer_block; END CASE;
  /*!50003 SET @executed = 1; */ /*!99999 SET @never = 1; */
  SELECT '/*! not; a comment */' INTO @x; SELECT `a ``b` FROM view_z;
END;;
SET sql_mode = 'ORACLE';;
CREATE PACKAGE pack COMMENT 'it''s' AS FUNCTION f(n INT) RETURN INT; PROCEDURE p; END;;
CREATE PACKAGE BODY pack AS seen INT := 0; FUNCTION f(n INT) RETURN INT AS BEGIN seen := seen + n; RETURN seen; END; PROCEDURE p AS BEGIN SELECT "id" || ';' FROM fk_a; END; BEGIN seen := 5; END;;
CREATE PROCEDURE pr_oracle(a IN INT, b OUT VARCHAR2) AS c INT; BEGIN c := a; IF c > 1 THEN b := 'x;'; END IF; END;;
SET sql_mode = 'PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,NO_UNSIGNED_SUBTRACTION,ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL';;
CREATE FUNCTION fn_modes() RETURNS varchar(9) DETERMINISTIC RETURN 'a' || NOT 1 BETWEEN 0 AND 2;;
SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE';;
CREATE TRIGGER tr_bi BEFORE INSERT ON edge_columns FOR EACH ROW SET NEW.a = NEW.a + 1000;;
CREATE TRIGGER tr_bu BEFORE UPDATE ON edge_columns FOR EACH ROW SET NEW.a = NEW.a + 1000;;
CREATE TRIGGER tr_bd BEFORE DELETE ON edge_columns FOR EACH ROW INSERT INTO eng_aria VALUES (OLD.id, 'gone');;
CREATE TRIGGER tr_ai AFTER INSERT ON edge_columns FOR EACH ROW INSERT INTO eng_aria VALUES (1000 + NEW.id, 'came');;
CREATE TRIGGER tr_au AFTER UPDATE ON edge_columns FOR EACH ROW SET @u = 'ü😀';;
CREATE TRIGGER tr_ad AFTER DELETE ON edge_columns FOR EACH ROW SET @d = 1;;
CREATE TRIGGER tr_ai2 AFTER INSERT ON edge_columns FOR EACH ROW FOLLOWS tr_ai SET @second = 1;;
CREATE TRIGGER tr_ai0 AFTER INSERT ON edge_columns FOR EACH ROW PRECEDES tr_ai SET @first = 1;;
CREATE TRIGGER tr_ai3 AFTER INSERT ON edge_columns FOR EACH ROW FOLLOWS tr_ai2 SET @third = 1;;
SET time_zone = 'SYSTEM';;
CREATE EVENT ev_on ON SCHEDULE EVERY 90 MINUTE STARTS '2031-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO INSERT INTO eng_aria VALUES (99, 'it''s 😀');;
CREATE EVENT ev_slave ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2031-01-01 00:00:00' DISABLE ON SLAVE DO CALL pr_all(1, @b, @c);;
CREATE EVENT `ev ``off"` ON SCHEDULE EVERY 1 MONTH STARTS '2031-01-31 00:00:00' ENDS '2037-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'off; "really"' DO BEGIN SET @a = ';'; END;;
DELIMITER ;
