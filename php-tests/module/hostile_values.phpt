--TEST--
Values of every kind at every parameter of every method: an exception or an answer, never a crash or a failure of ours
--INI--
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../server.inc';

const CODE = <<<'CODE'
    enum Suit: string { case Hearts = 'h'; }
    final class Text { function __toString(): string { return "te\0xt"; } }
    final class Thrower { function __toString(): string { throw new LogicException('from __toString()'); } }
    final class Meddler {
        // Changes what it is an element of, while a method looks at it.
        function __toString(): string { $GLOBALS['meddled'] = null; gc_collect_cycles(); return 'x'; }
    }
    function hostile(): array
    {
        $recursive = ['a' => 1];
        $recursive['self'] = &$recursive;
        $deep = [];
        for ($i = 0; $i < 1000; $i++) $deep = [$deep];
        $GLOBALS['meddled'] = [new Meddler(), 'b', str_repeat('c', 100)];
        $undefined = new class { public int $typed; public $list; };
        $closed = fopen('php://memory', 'r');
        fclose($closed);
        $text = 'referenced';
        return [
            null, true, false, 0, -1, 1, 200, PHP_INT_MAX, PHP_INT_MIN, 0.0, -0.0, 1.5, NAN, INF, -INF, 1e300,
            '', '0', "\0", "a\0b", "\xff\xfe", "\r\nX: y", str_repeat('x', 70000), '1e3', ' 12', '12 ', 'host', '127.0.0.1', 'Request', 'strlen', __FILE__,
            [], [[]], $deep, $recursive, ["\xff" => 1], ["\0a" => 'b', '' => 'c'], [PHP_INT_MAX => 1, PHP_INT_MIN => 2], ['worker_num' => 1e99], ['worker_num' => $recursive],
            ['x' => &$text, 'y' => [&$text]], [NAN, null], ['strlen', 'x'], [new Text(), new Thrower()], &$GLOBALS['meddled'], ["X-A" => &$GLOBALS['meddled']],
            [1 => 'holes', 5 => 'in it'], array_fill(0, 5000, 'x'),
            new stdClass(), new Text(), new Thrower(), new Meddler(), $undefined, fn () => 1, (function () { yield 1; })(), Suit::Hearts, new ArrayObject([1]),
            WeakReference::create($undefined), new DateTime(), new Exception("\xff\0"), fopen('php://memory', 'r'), $closed,
        ];
    }
    // Calls every method of the object with values of each kind in each place.
    function attack(object $object, array $leave_out = []): string
    {
        $calls = 0;
        $class = new ReflectionClass($object);
        foreach ($class->getMethods() as $method) {
            if (in_array($method->name, $leave_out, true)) continue;
            foreach (range(0, max(1, $method->getNumberOfParameters())) as $place) {
                foreach (hostile() as $value) {
                    $arguments = array_fill(0, $method->getNumberOfRequiredParameters(), 'x');
                    $arguments = array_pad($arguments, $place, 0);
                    $arguments[$place] = $value;
                    foreach ([$arguments, [$value], [...$arguments, $object]] as $list) {
                        $calls++;
                        try {
                            @$object->{$method->name}(...$list);
                        } catch (Throwable $error) {
                            $message = $error->getMessage();
                            if (str_contains($message, 'Ferrite has failed')) return "$class->name::$method->name(" . print_r($list, true) . ")\n";
                        }
                    }
                }
            }
        }
        // And properties: read, written, unset, as references, in every order.
        foreach ($class->getProperties() as $property) {
            foreach (hostile() as $value) {
                try {
                    $object->{$property->name} = $value;
                    $reference = &$object->{$property->name};
                    $reference = [$reference, $object];
                    unset($reference);
                } catch (Throwable) {
                }
                foreach (['var_export', 'json_encode', 'serialize', 'count', 'strval'] as $function) {
                    try {
                        ob_start();
                        @$function($object->{$property->name}, ...($function === 'var_export' ? [true] : []));
                    } catch (Throwable) {
                    } finally {
                        ob_end_clean();
                    }
                }
                try {
                    unset($object->{$property->name});
                    $object->{$property->name} ??= $value;
                } catch (Throwable) {
                }
            }
        }
        try {
            $copy = clone $object;
        } catch (Throwable) {
        }
        gc_collect_cycles();
        return $calls > 100 ? "many calls\n" : "$calls calls\n";
    }
    CODE;
eval(CODE);

// Objects that the server has not made, and a server before start().
foreach (['Http\Cookie', 'Http\Request', 'Http\Response', 'Server\Port', 'Http\Server'] as $name) {
    $class = new ReflectionClass("Ferrite\\$name");
    echo "$name: ", attack($class->newInstanceWithoutConstructor(), ['__construct', 'start', 'listen', 'addListener']);
}
// No port is bound that a value happens to name: those that take it are other tests' business.
echo 'before start(): ', attack(new Ferrite\Http\Server('127.0.0.1', 0), ['__construct', 'start', 'listen', 'addListener']);
foreach (hostile() as $value) {
    foreach ([[$value], ['127.0.0.1', 0, $value], ['127.0.0.1', 0, 2, $value]] as $arguments) {
        try {
            @new Ferrite\Http\Server(...$arguments);
        } catch (Throwable $error) {
            str_contains($error->getMessage(), 'Ferrite has failed') && print('failed: ' . $error->getMessage() . "\n");
        }
    }
}

$server = TestServer::start(CODE . <<<'CODE'
    ini_set('memory_limit', '1G');
    $server->set(['worker_num' => 1, 'worker_start_timeout' => 60]);
    $server->on('Request', function ($request, $response) use ($server) {
        switch ($request->server['request_uri']) {
            case '/request': $result = attack($request); break;
            case '/open': $result = attack($response, ['end', 'write', 'sendfile', 'redirect']); $response->initHeader(); $response->status(200); break;
            case '/sending': attack($response, ['end', 'redirect', 'sendfile']); return;
            case '/ending': foreach (hostile() as $value) try { if (@$response->end($value)) return; } catch (Throwable) {} return;
            case '/redirect': foreach (hostile() as $value) try { if (@$response->redirect($value, $value)) return; } catch (Throwable) {} return;
            case '/server': $result = attack($server, ['__construct', 'shutdown', 'stop', 'reload', 'reloadTls', 'close']); break;
            case '/port': $result = attack($server->ports[0]); break;
            case '/pid': return $response->end((string) getmypid());
        }
        $response->end($result);
    });
    CODE, ['display_errors' => 0, 'log_errors' => 0]);
$pid = $server->get('/pid')->body;
$form = ['Content-Type' => 'multipart/form-data; boundary=XX', 'Cookie' => "a=\xff; b[=1; c%00=d"];
$body = "--XX\r\nContent-Disposition: form-data; name=\"f\xff[a][]\"; filename=\"\xff%00/../x\"\r\n\r\ncontent\r\n--XX--\r\n";
foreach (['request', 'open', 'sending', 'ending', 'redirect', 'server', 'port'] as $what) {
    $response = $server->request('POST', "/$what?a[%00=1&%ff=%ff&b[][][]=2", $form, $body);
    echo "$what: ", in_array($what, ['sending', 'ending', 'redirect']) ? "over\n" : $response->body;
    echo $server->get('/pid')->body === $pid ? '' : "another worker after $what\n";
}
echo preg_match('~panicked|Ferrite has failed|signal~', $server->log(), $match) ? "log: $match[0]\n" . $server->log() : '';
?>
--EXPECT--
Http\Cookie: many calls
Http\Request: many calls
Http\Response: many calls
Server\Port: many calls
Http\Server: many calls
before start(): many calls
request: many calls
open: many calls
sending: over
ending: over
redirect: over
server: many calls
port: many calls
