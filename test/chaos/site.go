package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/sitewright/sitewright/test/local"
)

// How much of a site tells its version.
const (
	markedFiles = 300
	markedRows  = 40_000
)

// asks is a page of the site that looks at all its files and rows, and says of which version they are.
const asks = `<?php
require __DIR__ . '/wp-load.php';
$files = $rows = [];
foreach (glob(WP_CONTENT_DIR . '/uploads/chaos/*.txt') as $file) {
    $text = file_get_contents($file);
    $version = strtok($text, "\n");
    $whole = $text === "$version\n" . str_repeat("$version " . basename($file) . "\n", 400);
    $key = $whole ? $version : 'torn';
    $files[$key] = ($files[$key] ?? 0) + 1;
}
foreach ($wpdb->get_results("SELECT IF(body = REPEAT(MD5(CONCAT(v, ':', id)), 6), v, 'torn') AS k, COUNT(*) AS n FROM {$wpdb->prefix}chaos GROUP BY k") as $row) {
    $rows[$row->k] = (int) $row->n;
}
header('Content-Type: application/json');
echo json_encode(['files' => (object) $files, 'rows' => (object) $rows, 'option' => get_option('chaos_version'), 'url' => home_url('/')]);
`

// writes is a program that brings files, rows and an option of the site to a version.
const writes = `<?php
$_SERVER['HTTP_HOST'] = 'chaos.localtest';
require '/site/www/wp-load.php';
wp_upload_dir(); // makes the directory of the month, which it would do some time later otherwise
$version = '%[1]s';
$directory = WP_CONTENT_DIR . '/uploads/chaos';
@mkdir($directory, 0755, true);
for ($i = 0; $i < %[2]d; $i++) {
    $name = sprintf('%%04d.txt', $i);
    file_put_contents("$directory/$name", "$version\n" . str_repeat("$version $name\n", 400));
}
file_put_contents('/site/www/chaos.php', base64_decode('%[4]s'));
$table = $wpdb->prefix . 'chaos';
$wpdb->query("CREATE TABLE IF NOT EXISTS $table (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL, body TEXT NOT NULL, KEY (v))");
$wpdb->query("REPLACE INTO $table SELECT seq, '$version', REPEAT(MD5(CONCAT('$version:', seq)), 6) FROM seq_1_to_%[3]d");
update_option('chaos_version', $version);
echo $wpdb->last_error ?: 'written';
`

// site is a WordPress under test.
type site struct {
	*local.Cluster
	install, url string
}

// write brings the site to a version.
func (s *site) write(ctx context.Context, version string) error {
	program := fmt.Sprintf(writes, version, markedFiles, markedRows, base64Of(asks))
	out, err := s.Kubectl(ctx, program, "exec", "-i", "deploy/"+s.install, "-c", "web", "--", "php")
	if err == nil && !strings.HasSuffix(out, "written") {
		err = fmt.Errorf("the site says: %s", out)
	}
	if err != nil {
		return fmt.Errorf("bringing Install %s to version %s: %w", s.install, version, err)
	}
	return nil
}

// seen is what a site answered: the one version that all of it is of.
type seen struct {
	version, url string
	// failed says why there is no answer.
	failed string
	// mixed says what was seen in the place of one version.
	mixed string
}

// look asks the site of which version it is.
func (s *site) look(ctx context.Context, c *http.Client) seen {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"chaos.php", nil)
	if err != nil {
		return seen{failed: err.Error()}
	}
	answer, err := c.Do(r)
	if err != nil {
		return seen{failed: err.Error()}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return seen{failed: err.Error()}
	}
	if answer.StatusCode != http.StatusOK {
		return seen{failed: fmt.Sprintf("status %d: %.300s", answer.StatusCode, words(body))}
	}
	return judge(body)
}

var markup = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)

// words are what a page says, without its markup.
func words(page []byte) string {
	return strings.Join(strings.Fields(string(markup.ReplaceAll(page, []byte(" ")))), " ")
}

// judge reads the answer of the page that asks.
func judge(body []byte) seen {
	var a struct {
		Files, Rows map[string]int
		Option, URL string
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return seen{mixed: fmt.Sprintf("%v: %.200s", err, body)}
	}
	if a.Files[a.Option] != markedFiles || len(a.Files) != 1 || a.Rows[a.Option] != markedRows || len(a.Rows) != 1 {
		return seen{mixed: string(body)}
	}
	return seen{version: a.Option, url: a.URL}
}

// await asks until the site answers, and returns of which version it is.
func (s *site) await(ctx context.Context) (seen, error) {
	c := &http.Client{Transport: local.Transport(), Timeout: 30 * time.Second}
	var last seen
	err := local.Await(ctx, bound, "Install "+s.install+" to answer", func() (bool, string) {
		last = s.look(ctx, c)
		return last.failed == "", last.failed
	})
	if err == nil && last.mixed != "" {
		err = fmt.Errorf("site %s serves a mixture: %s", s.install, last.mixed)
	}
	return last, err
}
