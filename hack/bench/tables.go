package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
)

// Beyond the rows of the installation itself.
const (
	firstPost   = 1000
	firstMeta   = 10000
	firstOption = 10000
	batchBytes  = 1 << 20
	optionShare = 0.08
)

// filler fills the tables of WordPress.
type filler struct {
	*author
	posts, meta, comments, options *batch
	nextPost, nextMeta, nextOption int
	bytes                          int64
}

// batch collects rows for one statement.
type batch struct {
	f       *filler
	pool    *sql.DB
	table   string
	columns []string
	values  []any
	size    int
}

func (b *batch) add(ctx context.Context, values ...any) error {
	for _, v := range values {
		n := 4
		if s, ok := v.(string); ok {
			n = len(s) + 3
		}
		b.size += n
		b.f.bytes += int64(n)
	}
	b.values = append(b.values, values...)
	if b.size < batchBytes && len(b.values) < 60000 {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.values) == 0 {
		return nil
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(b.columns)), ",") + "),"
	statement := "INSERT INTO " + prefix + b.table + " (" + strings.Join(b.columns, ",") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(row, len(b.values)/len(b.columns)), ",")
	if _, err := b.pool.ExecContext(ctx, statement, b.values...); err != nil {
		return fmt.Errorf("table %s%s: %w", prefix, b.table, err)
	}
	b.values, b.size = b.values[:0], 0
	return nil
}

// fill adds posts with their revisions, metadata and comments, and options, until the database has its size.
func (b *bench) fill(ctx context.Context, s *site) (err error) {
	pool, err := mysql.Open(ctx, b.server.login(siteUser, sitePassword, s.plan.Database.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	f := &filler{author: newAuthor(1), nextPost: firstPost, nextMeta: firstMeta, nextOption: firstOption}
	f.posts = &batch{f: f, pool: pool, table: "posts", columns: strings.Fields("ID post_author post_date post_date_gmt post_content post_title " +
		"post_excerpt post_status post_name to_ping pinged post_modified post_modified_gmt post_content_filtered post_parent guid post_type post_mime_type")}
	f.meta = &batch{f: f, pool: pool, table: "postmeta", columns: strings.Fields("meta_id post_id meta_key meta_value")}
	f.comments = &batch{f: f, pool: pool, table: "comments", columns: strings.Fields("comment_post_ID comment_author comment_author_email " +
		"comment_author_url comment_date comment_date_gmt comment_content comment_agent")}
	f.options = &batch{f: f, pool: pool, table: "options", columns: strings.Fields("option_id option_name option_value autoload")}
	total := int64(databaseBytes * s.scale)
	for f.bytes < int64(float64(total)*(1-optionShare)) {
		if err := f.post(ctx); err != nil {
			return err
		}
	}
	for f.bytes < total {
		if err := f.option(ctx); err != nil {
			return err
		}
	}
	for _, rows := range []*batch{f.posts, f.meta, f.comments, f.options} {
		if err := rows.flush(ctx); err != nil {
			return err
		}
		// A site in use has them; the server makes them by and by.
		if _, err := pool.ExecContext(ctx, "ANALYZE TABLE "+prefix+rows.table); err != nil {
			return fmt.Errorf("statistics of table %s%s: %w", prefix, rows.table, err)
		}
	}
	return nil
}

// post adds a post with up to six revisions, or an attachment.
func (f *filler) post(ctx context.Context) error {
	date := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(f.nextPost) * 11 * time.Minute).Format(time.DateTime)
	if f.once(3) {
		id, err := f.row(ctx, date, "", "attachment", "inherit", 0, f.upload())
		if err != nil {
			return err
		}
		return errors.Join(f.addMeta(ctx, id, "_wp_attached_file"), f.addMeta(ctx, id, "_wp_attachment_metadata"))
	}
	var paragraphs []string
	for range 3 + f.IntN(12) {
		paragraphs = append(paragraphs, f.paragraph())
	}
	id, err := f.row(ctx, date, strings.Join(paragraphs, ""), "post", "publish", 0, "")
	if err != nil {
		return err
	}
	for range f.IntN(4) {
		paragraphs[f.IntN(len(paragraphs))] = f.paragraph()
		if _, err := f.row(ctx, date, strings.Join(paragraphs, ""), "revision", "inherit", id, ""); err != nil {
			return err
		}
	}
	keys := []string{"_edit_lock", "_edit_last", "_thumbnail_id", "_seo_title", "_seo_description", "_plugin_settings"}
	if f.once(2) {
		keys = append(keys, "_builder_data")
	}
	for _, key := range keys {
		if err := f.addMeta(ctx, id, key); err != nil {
			return err
		}
	}
	for range f.IntN(5) {
		if err := f.comments.add(ctx, id, f.phrase(2), f.word()+"@mail.example", "https://"+f.word()+".example/", date, date, f.sentences(3),
			"Mozilla/5.0 (X11; Linux x86_64)"); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) row(ctx context.Context, date, content, kind, status string, parent int, guid string) (int, error) {
	id := f.nextPost
	f.nextPost++
	mime := ""
	if kind == "attachment" {
		mime = "image/jpeg"
	} else {
		guid = fmt.Sprintf("%s/?p=%d", siteURL, id)
	}
	return id, f.posts.add(ctx, id, 1, date, date, content, f.phrase(5), "", status, f.slug(), "", "", date, date, "", parent, guid, kind, mime)
}

func (f *filler) addMeta(ctx context.Context, post int, key string) error {
	f.nextMeta++
	return f.meta.add(ctx, f.nextMeta, post, key, f.metaValue(key))
}

// metaValue is what is kept under a key of postmeta.
func (a *author) metaValue(key string) string {
	switch key {
	case "_edit_lock":
		return fmt.Sprintf("%d:1", 1600000000+a.IntN(100000000))
	case "_edit_last", "_thumbnail_id":
		return fmt.Sprint(1 + a.IntN(100000))
	case "_wp_attached_file":
		return "2022/05/" + a.slug() + ".jpg"
	case "_wp_attachment_metadata":
		return a.image()
	case "_plugin_settings":
		return a.settings(2 + a.IntN(10))
	case "_builder_data":
		return a.builder()
	}
	return a.sentences(2)
}

// option adds an option; one in ten is what WordPress keeps for a while only.
func (f *filler) option(ctx context.Context) error {
	f.nextOption++
	name := fmt.Sprintf("plugin_%d_settings", f.nextOption)
	if f.once(10) {
		name = fmt.Sprintf("_transient_feed_%d", f.nextOption)
	}
	return f.options.add(ctx, f.nextOption, name, f.optionValue(), "off")
}

func (a *author) optionValue() string { return a.settings(5 + a.IntN(120)) }
