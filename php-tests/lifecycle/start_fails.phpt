--TEST--
A Start callback that fails ends the server
--FILE--
<?php
require __DIR__ . '/../server.inc';

foreach (['throw new LogicException("not today");', 'exit(3);'] as $code) {
    $server = TestServer::launch(<<<CODE
        \$server = new Ferrite\Http\Server('127.0.0.1', 0);
        \$server->on('Start', function () { $code });
        \$server->on('Request', fn (\$request, \$response) => \$response->end());
        try {
            \$server->start();
        } catch (Ferrite\Exception \$exception) {
            echo \$exception->getMessage(), "\n";
            exit(7);
        }
        CODE);
    echo $server->wait(), ' ', $server->out();
    $server->waitForAll();
}
?>
--EXPECTF--
7 the Start callback: uncaught LogicException: not today in %sserver.php:%d
7 the Start callback called exit()
