<?php
// Compares a site's database with its copy at another URL: every value must be the old one with the URL replaced, in
// serialized values inside what PHP itself makes of them.
// Arguments: host port old-database new-database old-URL new-URL; the login is in the environment.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[, $host, $port, $old, $new, $from, $to] = $argv;

function forms($url) {
    return [$url, str_replace('/', '\\/', $url), urlencode($url)];
}

function move($value) {
    global $from, $to;
    if (is_array($value)) {
        return array_map('move', $value);
    }
    return is_string($value) ? str_replace(forms($from), forms($to), $value) : $value;
}

function fail($message) {
    // STDERR is not there in a script that PHP reads from its standard input.
    file_put_contents('php://stderr', $message . "\n");
    exit(1);
}

function connect($database) {
    global $host, $port;
    $db = new mysqli($host, getenv('BENCH_USER'), getenv('BENCH_PASSWORD'), $database, (int) $port);
    $db->set_charset('utf8mb4');
    return $db;
}

$a = connect($old);
$b = connect($new);
$tables = array_column($a->query('SHOW TABLES')->fetch_all(), 0);
if ($tables !== array_column($b->query('SHOW TABLES')->fetch_all(), 0)) {
    fail("$new has other tables");
}
$seen = $serialized = $changed = 0;
foreach ($tables as $table) {
    $keys = array_column($a->query("SHOW KEYS FROM `$table` WHERE Key_name = 'PRIMARY'")->fetch_all(MYSQLI_ASSOC), 'Column_name');
    // What WordPress keeps for a while only, and logins, are not copied.
    $where = ['wp_options' => "WHERE option_name NOT LIKE '\\_transient\\_%' AND option_name NOT LIKE '\\_site\\_transient\\_%'",
        'wp_usermeta' => "WHERE meta_key <> 'session_tokens'"][$table] ?? '';
    $query = "SELECT * FROM `$table` $where ORDER BY `" . implode('`, `', $keys) . '`';
    $x = $a->query($query, MYSQLI_USE_RESULT);
    $y = $b->query($query, MYSQLI_USE_RESULT);
    while (($p = $x->fetch_assoc()) !== null) {
        $q = $y->fetch_assoc();
        foreach ($p as $column => $value) {
            $got = $q[$column] ?? null;
            $want = $value;
            if (is_string($value) && preg_match('/^[aO]:\d+:/', $value) && ($read = @unserialize($value, ['allowed_classes' => false])) !== false) {
                $serialized++;
                $want = serialize(move($read));
            } elseif ($value !== null) {
                $want = move($value);
            }
            if ($got !== $want) {
                fail("$new.$table." . $column . ' of row ' . $p[$keys[0]] . ' is ' . var_export(substr((string) $got, 0, 500), true) . "\nand not " . var_export(substr((string) $want, 0, 500), true));
            }
            $changed += $want !== $value;
            $seen++;
        }
    }
    if ($y->fetch_assoc() !== null) {
        fail("$new.$table has more rows");
    }
    $x->free();
    $y->free();
}
if ($serialized < 10 || $changed < 10) {
    fail("of $seen values only $serialized were serialized and $changed changed: this compares nothing");
}
