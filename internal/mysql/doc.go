// Package mysql does everything the project does to MySQL and MariaDB servers: it creates databases and
// least-privilege users, and dumps, loads, copies and clears databases. It runs no client programs, so that it works
// in any image.
//
// The invariants on which the rest of the project relies:
//
//   - A dump is a SQL script which the stock client can load, made of parts; each part sets up its own session, so
//     that it can be loaded alone once the schema part is there.
//   - In what the package writes, identifiers it generates stand in backticks, and strings stand in single quotes
//     with the escapes \0 \n \r \Z \' \\ only; binary columns are _binary '…' literals, never hexadecimal. So a
//     tokenizer of a few lines can find names and text in the stream.
//   - A script is hostile until checked: Load runs only the kinds of statements which a dump needs, and never leaves
//     the target database.
//   - No error contains a password.
//
// MariaDB 10.5 and later and MySQL 8 and later are meant; the package asks for capabilities rather than for names. The
// tests run on MariaDB 10.5, 10.11 and 11.8 and on the MySQL of Debian unstable, 9.7 at this writing. MySQL 8 itself is
// not tested, since no Debian suite has it.
package mysql
