<?php
// Reads base64 lines and answers each with "ok" when it unserializes and
// serializes again to the same bytes.
while (($line = fgets(STDIN)) !== false) {
    $v = base64_decode(trim($line));
    $got = @unserialize($v);
    echo $got === false && $v !== 'b:0;' ? 'does not unserialize' : (serialize($got) === $v ? 'ok' : 'differs: ' . serialize($got)), "\n";
}
