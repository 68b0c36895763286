package mysql_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// wordpress makes tables as WordPress has them, of about 100 MB.
func wordpress(b *testing.B, s *mysqltest.Server) mysql.Config {
	b.Helper()
	config := s.Database(b)
	const charset = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci"
	exec1(b.Context(), b, open(b, config),
		`CREATE TABLE wp_posts (ID bigint unsigned NOT NULL AUTO_INCREMENT, post_author bigint unsigned NOT NULL DEFAULT 0, post_date datetime NOT NULL,
			post_content longtext NOT NULL, post_title text NOT NULL, post_status varchar(20) NOT NULL DEFAULT 'publish', post_name varchar(200) NOT NULL,
			post_parent bigint unsigned NOT NULL DEFAULT 0, guid varchar(255) NOT NULL, post_type varchar(20) NOT NULL DEFAULT 'post',
			PRIMARY KEY (ID), KEY post_name (post_name(191)), KEY type_status_date (post_type, post_status, post_date, ID),
			KEY post_parent (post_parent), KEY post_author (post_author))`+charset,
		`CREATE TABLE wp_postmeta (meta_id bigint unsigned NOT NULL AUTO_INCREMENT, post_id bigint unsigned NOT NULL DEFAULT 0, meta_key varchar(255),
			meta_value longtext, PRIMARY KEY (meta_id), KEY post_id (post_id), KEY meta_key (meta_key(191)))`+charset,
		`CREATE TABLE wp_options (option_id bigint unsigned NOT NULL AUTO_INCREMENT, option_name varchar(191) NOT NULL, option_value longtext NOT NULL,
			autoload varchar(20) NOT NULL DEFAULT 'yes', PRIMARY KEY (option_id), UNIQUE KEY option_name (option_name), KEY autoload (autoload))`+charset,
		`INSERT INTO wp_posts SELECT seq, seq % 20, '2020-01-01' + INTERVAL seq MINUTE,
			REPEAT(CONCAT('<p>It''s ', MD5(seq), ' <a href="https://example.com/ü">', SHA1(seq), '</a></p>', CHAR(10)), 1 + seq % 100),
			MD5(seq), 'publish', SHA1(seq), 0, CONCAT('https://example.com/?p=', seq), ELT(1 + seq % 3, 'post', 'page', 'revision') FROM seq_1_to_13000`,
		`INSERT INTO wp_postmeta SELECT seq, CRC32(seq) % 13000, ELT(1 + seq % 3, '_edit_lock', '_sku', '_elementor_data'),
			IF(seq % 2, seq, CONCAT('a:1:{s:3:"url";s:', 20 + 32 * (seq % 17), ':"https://example.com/', REPEAT(MD5(seq), seq % 17), '";}')) FROM seq_1_to_200000`,
		`INSERT INTO wp_options SELECT seq, CONCAT('option_', seq), CONCAT('a:1:{i:0;s:', 32 * (seq % 400), ':"', REPEAT(MD5(seq), seq % 400), '";}'), 'no' FROM seq_1_to_1000`)
	return config
}

// against alternates work with the stock program's and reports the median ratio of their times.
func against(b *testing.B, ours, stock func() time.Duration) {
	b.Helper()
	var a, c []time.Duration
	for b.Loop() {
		a, c = append(a, ours()), append(c, stock())
	}
	slices.Sort(a)
	slices.Sort(c)
	b.ReportMetric(float64(a[len(a)/2])/float64(c[len(c)/2]), "ratio")
	b.ReportMetric(a[len(a)/2].Seconds()*1000, "ours-ms")
	b.ReportMetric(c[len(c)/2].Seconds()*1000, "stock-ms")
}

func took(work func()) time.Duration {
	start := time.Now()
	work()
	return time.Since(start)
}

// BenchmarkDump compares with mariadb-dump --single-transaction.
func BenchmarkDump(b *testing.B) {
	s := mysqltest.Start(b)
	source := wordpress(b, s)
	against(b, func() time.Duration {
		return took(func() {
			d, err := mysql.NewDump(b.Context(), source, mysql.DumpOptions{})
			if err != nil {
				b.Fatal(err)
			}
			var group sync.WaitGroup
			for _, part := range d.Parts() {
				group.Go(func() {
					if err := d.WritePart(b.Context(), part, io.Discard); err != nil {
						b.Error(err)
					}
				})
			}
			group.Wait()
			if err := d.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}, func() time.Duration {
		return took(func() { stock(b, s, source.Database, os.DevNull) })
	})
}

// BenchmarkLoad compares with the stock client on a stock dump.
func BenchmarkLoad(b *testing.B) {
	s := mysqltest.Start(b)
	source := wordpress(b, s)
	file := filepath.Join(b.TempDir(), "stock.sql")
	stock(b, s, source.Database, file)
	d, err := mysql.NewDump(b.Context(), source, mysql.DumpOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var parts []mysql.Source
	for _, part := range d.Parts() {
		var text bytes.Buffer
		if err := d.WritePart(b.Context(), part, &text); err != nil {
			b.Fatal(err)
		}
		parts = append(parts, mysql.Source{Name: part.Name, Size: int64(text.Len()), Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(text.Bytes())), nil
		}})
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	against(b, func() time.Duration {
		target := s.Database(b)
		return took(func() {
			if _, err := mysql.LoadParts(b.Context(), target, parts, mysql.LoadOptions{}); err != nil {
				b.Fatal(err)
			}
		})
	}, func() time.Duration {
		target := s.Database(b)
		script, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		defer script.Close()
		return took(func() { client(b, s, "mariadb", script, target.Database) })
	})
}

// stock dumps a database into a file with the stock program.
func stock(b *testing.B, s *mysqltest.Server, database, file string) {
	b.Helper()
	client(b, s, "mariadb-dump", nil, "--single-transaction", "--result-file="+file, database)
}
