-- What moves: the place in every kind of column, key and definition. The place is https://old_1.example/blog, /srv/old_1/www.
SET NAMES utf8mb4;

CREATE TABLE random_rows (id bigint unsigned NOT NULL AUTO_INCREMENT, post bigint NOT NULL, value longtext, PRIMARY KEY (id), KEY post (post), KEY value (value(191)))
	ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='of https://old_1.example/blog';

CREATE TABLE by_url (url varchar(200) NOT NULL DEFAULT 'https://old_1.example/blog/new', n int, PRIMARY KEY (url)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO by_url VALUES ('https://old_1.example/blog/a', 1), ('https://other.example/', 2), ('https://old_1.example/blog/z', 3);

CREATE TABLE by_host_and_id (host varchar(50) NOT NULL, id int NOT NULL, u text, PRIMARY KEY (id, host(10))) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO by_host_and_id VALUES ('//old_1.example/blog', 1, NULL), ('x', 2, 'https://old_1.example/blog'), ('y', 3, NULL);

CREATE TABLE keyless (id int, u text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO keyless VALUES (3, 'https://old_1.example/blog'), (1, 'x'), (2, 'https://old_1.example/blog/2'), (1, 'x'), (NULL, NULL);

CREATE TABLE charsets (id int PRIMARY KEY, l varchar(200) CHARACTER SET latin1, a varchar(200) CHARACTER SET ascii, u2 varchar(200) CHARACTER SET ucs2,
	u16 text CHARACTER SET utf16, u32 text CHARACTER SET utf32, u3 text CHARACTER SET utf8mb3, b blob, vb varbinary(200), bi binary(60)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO charsets VALUES
	(1, 'é https://old_1.example/blog/é', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, NULL, 'https://old_1.example/blog', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(3, NULL, NULL, 'ü https://old_1.example/blog', NULL, NULL, NULL, NULL, NULL, NULL), (4, NULL, NULL, NULL, '😀 https://old_1.example/blog', NULL, NULL, NULL, NULL, NULL),
	(5, NULL, NULL, NULL, NULL, 's:26:"https://old_1.example/blog";', NULL, NULL, NULL, NULL), (6, NULL, NULL, NULL, NULL, NULL, 'ü //old_1.example/blog', NULL, NULL, NULL),
	(7, NULL, NULL, NULL, NULL, NULL, NULL, X'FF2068747470733A2F2F6F6C645F312E6578616D706C652F626C6F67', NULL, NULL), (8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'https://old_1.example/blog', NULL),
	(9, NULL, NULL, NULL, NULL, NULL, NULL, X'0068747470733A2F2F6F6C645F312E6578616D706C652F626C6F67', NULL, 'https://old_1.example/blog'), (10, 'é', 'x', 'ü', '😀', '😀', 'ü', X'FF00', '', 'x');

CREATE TABLE raw (id int PRIMARY KEY, s varchar(200) CHARACTER SET sjis, u text, u16 text CHARACTER SET utf16) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO raw VALUES (1, '表 https://old_1.example/blog', NULL, NULL), (2, '表', 'ü https://old_1.example/blog', NULL), (3, '', NULL, 'https://old_1.example/blog'), (4, '表', 'ü', '😀');

CREATE TABLE kinds (id int AUTO_INCREMENT PRIMARY KEY, e enum('https://old_1.example/blog', 'x') DEFAULT 'x', s set('/srv/old_1/www', 'y'), j json, p point,
	f float, d double, bits bit(12), t timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), z datetime) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
SET sql_mode = '';
INSERT INTO kinds VALUES (1, 'https://old_1.example/blog', '/srv/old_1/www,y', '{"u": "https:\\/\\/old_1.example\\/blog"}', POINT(1, 2), 0.1, 0.1, b'101', '2001-02-03 04:05:06', '0000-00-00'),
	(2, 'x', '', '[]', NULL, 1e-30, -0e0, b'1', '2001-02-03 04:05:06', '2001-00-00'), (7, 'none', 'y', NULL, POINT(-1, 1e300), 16777217, 1e300, NULL, '2038-01-01', NULL);

CREATE TABLE computes (id int PRIMARY KEY, u varchar(200), host varchar(100) AS (SUBSTRING_INDEX(SUBSTRING_INDEX(u, '/', 3), '/', -1)) STORED, n int AS (LENGTH(u)) VIRTUAL, UNIQUE KEY u (u))
	ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO computes (id, u) VALUES (1, 'https://old_1.example/blog/1'), (2, 'https://other.example/2'), (3, NULL);

CREATE TABLE uniques (id int PRIMARY KEY, u varchar(200), UNIQUE KEY u (u)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO uniques VALUES (1, 'https://old_1.example/blog/1'), (2, 'x'), (3, 'https://old_1.example/blog/3');

CREATE TABLE searched (id int PRIMARY KEY, u varchar(200), t text, UNIQUE KEY u (u), FULLTEXT KEY t (t)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO searched VALUES (1, 'https://old_1.example/blog/1', 'some text'), (2, 'x', 'see //old_1.example/blog'), (3, 'y', 'more text');

CREATE TABLE parts (id int, y int, u text, PRIMARY KEY (id, y)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 PARTITION BY RANGE (y) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1, 'https://old_1.example/blog'), (2, 20, 'https://old_1.example/blog'), (3, 30, 'x');

CREATE TABLE parent (id int PRIMARY KEY, u text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE child (id int PRIMARY KEY, of int, u text, CONSTRAINT child_of FOREIGN KEY (of) REFERENCES parent (id) ON DELETE CASCADE) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO parent VALUES (1, 'https://old_1.example/blog'), (2, 'x');
INSERT INTO child VALUES (1, 1, 'https://old_1.example/blog'), (2, 1, 'x'), (3, 2, NULL);

CREATE TABLE untransacted (id int PRIMARY KEY, u text) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4;
INSERT INTO untransacted VALUES (1, 'https://old_1.example/blog'), (2, 'x');

CREATE TABLE nothing (id int PRIMARY KEY, u text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE VIEW moved_view AS SELECT id, u, 'https://old_1.example/blog' AS place FROM uniques WHERE u LIKE 'https://old_1.example/blog%';
CREATE TRIGGER moved_trigger BEFORE INSERT ON uniques FOR EACH ROW SET NEW.u = IFNULL(NEW.u, 'https://old_1.example/blog/none');
CREATE FUNCTION moved_function() RETURNS varchar(100) DETERMINISTIC RETURN 'https://old_1.example/blog';
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
CREATE PROCEDURE moved_procedure() SELECT 'https://old_1.example/blog', 'a \', 'C:\dir\';
SET sql_mode = '';
CREATE EVENT moved_event ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01' DO UPDATE uniques SET u = 'https://old_1.example/blog/event' WHERE id = 0;
