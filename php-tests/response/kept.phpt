--TEST--
A response that is kept beyond its handler is detached: every method returns false
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = serve(<<<'CODE'
    static $kept = null;
    if ($kept === null) {
        $kept = $response;
        return;
    }
    $response->end(json_encode([
        $kept->end('late'), $kept->write('late'), $kept->header('a', 'b'), $kept->status(200), $kept->isWritable(), $kept->trailer('a', 'b'),
        $kept->sendfile('/etc/passwd'),
    ]));
    CODE);
echo $server->get('/')->status, "\n";
echo $server->get('/')->body, "\n";
echo $server->get('/')->body, "\n";
?>
--EXPECT--
500
[false,false,false,false,false,false,false]
[false,false,false,false,false,false,false]
