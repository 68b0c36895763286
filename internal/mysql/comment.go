package mysql

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// server is what the package needs to know about the server it talks to.
type server struct {
	version string
	// id is major*10000 + minor*100 + patch, as in executable comments.
	id      int
	mariadb bool
}

func readServer(ctx context.Context, q querier) (server, error) {
	var version string
	if err := q.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return server{}, fmt.Errorf("read the server's version: %w", Classify(err))
	}
	return parseServer(version), nil
}

func parseServer(version string) server {
	s := server{version: version, mariadb: strings.Contains(strings.ToLower(version), "mariadb")}
	number, _, _ := strings.Cut(version, "-")
	for i, part := range strings.SplitN(number, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		s.id += n * []int{10000, 100, 1}[i]
	}
	return s
}

// executes reports whether the server executes a comment /*!version or, if maria, /*M!version.
// https://mariadb.com/kb/en/comment-syntax/: MariaDB leaves out what is meant for MySQL 5.7 and later.
func (s server) executes(maria bool, version int) bool {
	switch {
	case maria && !s.mariadb, version > s.id:
		return false
	case s.mariadb && !maria && version >= 50700 && version <= 99999:
		return false
	}
	return true
}

// resolveComments turns a statement's executable comments into what this server would see: those it executes become
// plain text, the others vanish. Everything after it can then judge the statement that really runs. Hints (/*+ … */)
// and plain comments stay.
func resolveComments(statement []byte, mode sqlmode.Mode, s server) []byte {
	out := make([]byte, 0, len(statement))
	open := 0
	for i := 0; i < len(statement); {
		rest := statement[i:]
		n := 1 // how much of rest is taken
		switch {
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
			n = quotedEnd(rest, 0, mode)
		case rest[0] == '#' || isDashComment(rest):
			n = lineEnd(rest)
		case open > 0 && bytes.HasPrefix(rest, []byte("*/")):
			open--
			out = append(out, ' ')
			i += 2
			continue
		case bytes.HasPrefix(rest, []byte("/*")):
			head, maria, version := executable(rest)
			if head == 0 {
				n = commentEnd(rest, false)
				break
			}
			out = append(out, ' ')
			if s.executes(maria, version) {
				open++
				i += head
			} else {
				i += commentEnd(rest, true)
			}
			continue
		}
		out = append(out, rest[:n]...)
		i += n
	}
	return out
}

// executable parses the head of an executable comment, /*!50003 or /*M!100201: its length (0 if it is none) and
// version (0 if it names none).
func executable(s []byte) (head int, maria bool, version int) {
	head = len("/*!")
	if bytes.HasPrefix(s, []byte("/*M!")) {
		head, maria = head+1, true
	} else if !bytes.HasPrefix(s, []byte("/*!")) {
		return 0, false, 0
	}
	digits := 0
	for digits < 6 && head+digits < len(s) && s[head+digits] >= '0' && s[head+digits] <= '9' {
		digits++
	}
	if digits < 5 {
		return head, maria, 0
	}
	version, _ = strconv.Atoi(string(s[head : head+digits]))
	return head + digits, maria, version
}

// commentEnd is the length of the comment at the beginning of s. A comment that is not executed may hold others, one
// level deep, as the server has it.
func commentEnd(s []byte, nested bool) int {
	depth := 0
	for i := 2; i+1 < len(s); i++ {
		switch {
		case nested && s[i] == '/' && s[i+1] == '*' && depth == 0:
			depth++
			i++
		case s[i] == '*' && s[i+1] == '/':
			if depth == 0 {
				return i + 2
			}
			depth--
			i++
		}
	}
	return len(s)
}
