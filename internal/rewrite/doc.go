// Package rewrite moves a site from one URL, document root and table prefix
// to others inside text and inside SQL dumps, without breaking serialized PHP
// or JSON.
//
// # What is found
//
// An occurrence is found by its host name (or, for a path, by one of its
// segments), which every encoding leaves as it is. The slash in front of it
// then tells how the text around spells URLs, and the occurrence is checked
// and replaced in that same spelling:
//
//	http://host/path                  plain
//	http:\/\/host\/path               JSON, any number of times escaped
//	http%3A%2F%2Fhost%2Fpath          URL-encoded, any number of times
//	http:&#x2F;&#x2F;host&#x2F;path   HTML entities
//	//host/path                       each of these without a scheme
//
// Both schemes of the old host are its own, and get the new URL's scheme; so
// is the scheme's default port when it is written out. Other schemes, other
// ports, longer host names on either side, credentials in front of another
// host, longer path segments (/blog in /blogger, /blog-2, /blog.php), mail
// addresses and host names without slashes are not the site. A URL inside
// another one, as in http://archive/http://host/, is. Host names are matched
// as given in Options and in lower case, paths as given.
//
// A letter beyond ASCII directly behind a host name ends it, because text in
// scripts without spaces goes on there; directly behind a path it makes the
// path a longer one.
//
// # Serialized PHP
//
// PHP's serialize format (php-src, ext/standard/var.c and
// var_unserializer.re) writes every string behind its length in bytes:
//
//	a:1:{s:3:"url";s:10:"http://a.b";}
//
// Values in it are rewritten and get their new lengths: nested arrays and
// objects, strings that are serialized values themselves, and the values in
// the payload of classes with a format of their own (C:), which otherwise
// stays as it is. References (R:, r:) count values, whose number does not
// change. Keys of arrays and of stdClass objects are data and are rewritten
// too, except where that would make two keys of one array equal; names of
// other objects' properties belong to code and stay.
//
// Serialized values are also found embedded in other text, such as session
// data, and inside JSON strings, where they are unescaped, rewritten and
// escaped again. A value that begins like a serialized one but is not, because
// a length is wrong or its end is missing, cannot be put right: it is left
// alone and counted. PHP's S: strings with hexadecimal escapes are treated so.
// So is what lies deeper than 32 strings in strings or, like PHP's own limit,
// 4096 nested arrays. The work on a value is bounded by a multiple of its
// length, whatever it holds.
//
// Text with NUL bytes outside serialized values is binary and left alone.
// Base64, compressed and hexadecimal data are not looked into.
//
// # Rewriting twice
//
// Rewriting what was rewritten changes nothing. When the new place lies inside
// the old one (http://h to http://h/new), occurrences already of the new form
// are left alone; a page that had that very name before cannot be told from
// them; and http://h with something directly behind it that could be a part of
// a path's segment, such as a letter beyond ASCII, is left alone. The exception is the reverse: when the old place lies inside the new
// one (http://h/blog to http://h), http://h/blog/blog becomes http://h/blog,
// which a second pass would change again.
// Table names are mapped once per pass: when the new prefix begins with the
// old one, a second pass without Options.Tables maps them again.
//
// # SQL
//
// [Rewriter.SQL] is a filter over a dump in one pass. It splits the dump into
// literals, names, comments and the rest, as the server does: with backslash
// escapes and with double quotes for strings, except where the dump's own SET
// sql_mode says otherwise, as it does around routines that were made in such a
// session. Statements end where the client's DELIMITER has it. The dump's bytes
// must be in an encoding that contains ASCII, such as UTF-8 or Latin-1. Literals that may
// depend on lengths are decoded, and escaped again if they changed; others that
// hold an occurrence are rewritten as they stand, for SQL escapes like JSON.
// The code in version comments (/*! … */) is code; other comments are copied.
//
// Table names are told from columns, aliases, indexes and users by the words
// around them, in quotes or bare: definitions, LOCK TABLES, foreign keys and
// the bodies of views, triggers and routines. Names of constraints with the
// old prefix are mapped as well, because InnoDB wants them unique in a
// database. With Options.Tables only the names given are mapped, wherever a
// table can stand; without it, only names in places where nothing but a table
// can. Names inside literals, comments and prepared statements' texts stay.
package rewrite
