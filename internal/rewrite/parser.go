package rewrite

// keyword is what a word tells about the identifier behind it.
type keyword uint8

const (
	kwNone        keyword = iota // not a keyword that matters: perhaps a name
	kwOther                      // certainly not a name
	kwTransparent                // changes nothing: IF NOT EXISTS
	kwTable                      // a table follows
	kwTableParen                 // a table follows, perhaps behind parentheses
	kwTarget                     // the table that the next values belong to follows
	kwTrigger
	kwOn
	kwKey
	kwAs
	kwConstraint
)

// keywordOf looks a word up, in any case.
func keywordOf(word []byte) keyword {
	const longest = len("STRAIGHT_JOIN")
	if len(word) < 2 || len(word) > longest {
		return kwNone
	}
	var upper [longest]byte
	for i, c := range word {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	switch string(upper[:len(word)]) {
	case "INTO", "TABLE", "INSERT", "REPLACE":
		return kwTarget
	case "TABLES", "UPDATE", "REFERENCES", "VIEW", "TRUNCATE", "DESCRIBE", "SEQUENCE":
		return kwTable
	case "FROM", "JOIN", "STRAIGHT_JOIN", "NEXTVAL", "SETVAL", "LASTVAL":
		return kwTableParen
	case "IF", "NOT", "EXISTS", "OR", "IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK",
		"READ", "WRITE", "LOCAL":
		return kwTransparent
	case "TRIGGER":
		return kwTrigger
	case "ON":
		return kwOn
	case "KEY", "INDEX":
		return kwKey
	case "AS":
		return kwAs
	case "CONSTRAINT":
		return kwConstraint
	case "SELECT", "VALUES", "VALUE", "SET", "DEFAULT", "NULL":
		return kwOther
	}
	return kwNone
}

// place is what the last token was.
type place uint8

const (
	atOther place = iota
	atTable       // a keyword before a table
	atTableParen
	atTarget
	atOn
	atKey
	atAs
	atConstraint
	atDot
	atComma
	atTableName // the name of a table
	atHost      // "@", as in DEFINER=`root`@`localhost`
)

// parser follows just enough of SQL's grammar to tell tables from columns,
// aliases, indexes and users. It sees every token in order.
type parser struct {
	names   *names
	last    place
	depth   int    // open parentheses
	columns int    // depth of the column list being read, 0 outside of one
	list    bool   // in a list of tables: after a comma comes the next one
	chain   bool   // the name before a dot stood in a table's place: it is a database
	trigger bool   // in a trigger's header: ON names a table
	target  []byte // the table that literals belong to; reused
}

// word takes a keyword; it reports false when the word may be a name.
func (p *parser) word(kw keyword) bool {
	switch kw {
	case kwNone:
		return false
	case kwTransparent:
		return true
	case kwTarget:
		p.last = atTarget
	case kwTable:
		p.last = tableUnlessKey(p.last)
	case kwTableParen:
		p.last = atTableParen
	case kwTrigger:
		p.last, p.trigger = atTable, true
	case kwOn:
		p.last = atOn
		if p.trigger {
			p.last = atTable
		}
		p.trigger = p.trigger && p.last != atTable
	case kwKey:
		p.last = atKey
	case kwAs:
		p.last = atAs
		return true
	case kwConstraint:
		p.last = atConstraint
	default:
		p.last = atOther
	}
	p.list = false
	return true
}

// tableUnlessKey keeps ON DUPLICATE KEY UPDATE from announcing a table.
func tableUnlessKey(last place) place {
	if last == atKey {
		return atOther
	}
	return atTable
}

// name takes an identifier and returns what it becomes, if that is anything
// else. next is the byte behind it.
func (p *parser) name(id []byte, next byte) (string, bool) {
	last, dotNext := p.last, next == '.'
	if next == '@' {
		p.last, p.list = atOther, false // a user: `name`@`host`
		return "", false
	}
	sure := last == atTable || last == atTarget || last == atTableParen ||
		last == atComma && p.list || last == atOn && !dotNext
	switch last {
	case atConstraint:
		p.last = atOther
		return p.names.prefixed(id)
	case atAs, atHost, atKey:
		p.list = p.list && last == atAs
		p.last = atOther
		return "", false
	case atDot:
		sure = p.chain
		if !sure && !dotNext {
			p.last, p.list = atOther, false
			return "", false
		}
	}
	p.last = atOther
	if sure && dotNext {
		p.chain = true // a database: its table comes behind the dot
		return "", false
	}
	p.chain = false
	if sure {
		p.last, p.list = atTableName, last != atOn
		if last == atTarget || last == atDot {
			p.target = append(p.target[:0], id...)
		}
	} else if last != atTableName {
		p.list = false
	}
	if !p.names.active || p.columns > 0 && !sure && !dotNext {
		return "", false
	}
	return p.names.table(id, sure || dotNext)
}

// punct takes a byte that is neither space, word, quote nor comment.
func (p *parser) punct(c byte) {
	switch c {
	case '(':
		p.depth++
		p.list = false
		if p.last == atTableName && p.columns == 0 {
			p.columns = p.depth
		}
		if p.last != atTableParen {
			p.last = atOther
		}
	case ')':
		if p.depth == p.columns {
			p.columns = 0
		}
		p.depth = max(p.depth-1, 0)
		p.last = atOther
	case '.':
		p.last = atDot
	case ',':
		p.last = atComma
	case '@':
		p.last = atHost
	case ';':
		*p = parser{names: p.names, target: p.target[:0]}
	default:
		p.last = atOther
	}
}

// other takes a literal or a number.
func (p *parser) other() { p.last = atOther }
