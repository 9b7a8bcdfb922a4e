--TEST--
docs/swoole.md is right about which methods there are
--FILE--
<?php
$page = file_get_contents(__DIR__ . '/../../docs/swoole.md');
preg_match_all('/^\| (\w+) \| `(\w+)` \| (yes|no)\b(.*)\|$/m', $page, $rows, PREG_SET_ORDER);
$known = [];
foreach ($rows as [, $class, $method, $answer, $more]) {
    $name = $class === 'Server' ? Ferrite\Http\Server::class : "Ferrite\\Http\\$class";
    if (method_exists($name, $method) !== ($answer === 'yes')) {
        echo "$class::$method(): the page says $answer\n";
    }
    preg_match('/; also `(\w+)`/', $more, $alias);
    $known[$name][] = strtolower($method);
    if ($alias) {
        $known[$name][] = strtolower($alias[1]);
    }
}
foreach ($known as $name => $methods) {
    foreach (get_class_methods($name) as $method) {
        if (!in_array(strtolower($method), [...$methods, '__construct', 'getstatuscode'], true)) {
            echo "$name::$method() is not on the page\n";
        }
    }
}
echo count($rows) > 50 ? "checked\n" : "too few rows\n";
// A call of one that is not there says what to do instead.
foreach ($rows as [, $class, $method, $answer]) {
    if ($answer === 'no') {
        $name = $class === 'Server' ? Ferrite\Http\Server::class : "Ferrite\\Http\\$class";
        $object = (new ReflectionClass($name))->newInstanceWithoutConstructor();
        try {
            $object->$method();
            echo "$name::$method() does not throw\n";
        } catch (Error $error) {
            $expected = preg_quote("Call to undefined method $name::$method(): ", '/');
            preg_match("/^$expected.{10,}/", $error->getMessage()) || print $error->getMessage() . "\n";
        }
    }
}
?>
--EXPECT--
checked
