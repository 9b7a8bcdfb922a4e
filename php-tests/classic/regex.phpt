--TEST--
script: compiled regular expressions are kept from request to request, within PHP's bound
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    $found = 0;
    for ($i = 0; $i < 1000; $i++) {
        $n = $_GET['from'] + $i;
        $found += preg_match("~^(?<name>x)(y)$n\$~u", "xy$n", $match) && $match['name'] === 'x';
    }
    echo $found, ' ', preg_replace_callback('~[a-c]+~', fn ($m) => strtoupper($m[0]), 'abcxabc');
    PHP]);
$worker = $server->children()['worker 0'];
$memory = fn () => (int) preg_replace('~.*^RssAnon:\s*(\d+).*~ms', '$1', file_get_contents("/proc/$worker/status"));
$answers = [];
for ($i = 0; $i < 10; $i++) {
    $answers[$server->get("/?from=" . $i * 1000)->body] = true;
}
$before = $memory();
for ($i = 10; $i < 43; $i++) {
    $answers[$server->get("/?from=" . min($i, 39) * 1000)->body] = true;
}
echo implode("\n", array_keys($answers)), "\n";
echo $memory() - $before < 4096 ? 'bound' : "$before kB, then {$memory()} kB", "\n";
var_dump($server->children()['worker 0'] === $worker);
echo $server->stop(), "\n";
?>
--EXPECT--
1000 ABCxABC
bound
bool(true)
0
