<?php
// Prints, as JSON, serialized values that hold the address given as the first
// argument, made by PHP itself from every kind of thing it can serialize.
error_reporting(E_ALL & ~E_DEPRECATED);

enum Suit: string { case Clubs = 'c'; case Hearts = 'h'; }

class Base { public $url; protected $guarded; private $hidden; public ?Base $next = null;
    function __construct($u) { $this->url = $u; $this->guarded = "x $u/g"; $this->hidden = [$u => "$u/h"]; } }
class Child extends Base { private $hidden = 'own'; public $suit = Suit::Hearts; }
class Modern { function __construct(public $u = '') {} function __serialize(): array { return ['in' => $this->u, 3 => [$this->u]]; }
    function __unserialize(array $d): void { $this->u = $d['in']; } }
class Custom implements Serializable { public $d; function __construct($d = null) { $this->d = $d; }
    function serialize() { return serialize($this->d); } function unserialize($s) { $this->d = unserialize($s); } }

function build(string $u): array {
    $shared = new Base($u);
    $list = ["$u/a", 'two' => &$list2];
    $list2 = "$u/ü日本🙂";
    $list[] = &$list2;
    $cycle = new Child($u);
    $cycle->next = $cycle;
    $storage = new SplObjectStorage();
    $storage[$shared] = $u;
    $doubly = new SplDoublyLinkedList();
    $doubly->push($u);
    $doubly->push([$u]);
    $std = (object) ['a' => $u, $u => 1, "$u/b" => (object) []];
    $options = ['home' => $u, 'html' => "<a href=\"$u/?p=1\">it's \"here\"</a>;}", 'n' => 1, 'f' => 0.1, 'i' => INF, 't' => true, 'z' => null, 's' => ''];
    $plain = [
        'string' => $u, 'array' => $options, 'nested' => serialize(serialize($options)), 'references' => $list, 'object' => $shared,
        'shared' => [$shared, $shared, [$shared]], 'cycle' => $cycle, 'enum' => [Suit::Clubs, $u, Suit::Clubs], 'modern' => new Modern($u),
        'custom' => new Custom([$u, new Custom("$u/c")]), 'storage' => $storage, 'list' => $doubly, 'arrayobject' => new ArrayObject(['u' => $u]),
        'stdclass' => $std, 'date' => [new DateTime('2020-01-02 03:04:05 UTC'), $u], 'closure-free' => [[[[[$u]]]]],
        'json' => json_encode(['u' => $u, 'p' => [$options['html'], 'é']]), 'json pretty' => json_encode([$u], JSON_UNESCAPED_SLASHES | JSON_PRETTY_PRINT),
        'json twice' => json_encode([json_encode([$u])]), 'serialized in json' => json_encode(['d' => serialize($options), 'é' => 'ü']),
        'serialized in json, unescaped' => json_encode(['d' => serialize($list), 'u' => $u], JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES),
        'serialized in json twice' => json_encode(['e' => json_encode(['d' => serialize($list)])]),
        'query' => http_build_query(['u' => "$u/?a=b&c=d", 'v' => [$u]]), 'raw' => rawurlencode("$u/ü"), 'twice' => urlencode(urlencode("$u/x y")),
        'html' => htmlspecialchars("<a href=\"$u/?a=1&b=2\">"), 'export' => var_export($options, true), 'session' => "user|" . serialize($options) . "u|" . serialize($u),
    ];
    $out = [];
    foreach ($plain as $name => $v) {
        $out[$name] = base64_encode(serialize($v));
        if (is_string($v)) { $out["$name, bare"] = base64_encode($v); }
    }
    $out['everything'] = base64_encode(serialize($plain));
    return $out;
}

echo json_encode(build($argv[1]));
