--TEST--
script: fastcgi_finish_request(), a stream of pieces, a client that leaves, ignore_user_abort()
--FILE--
<?php
require __DIR__ . '/classic.inc';

$server = classic(['index.php' => <<<'PHP'
    <?php
    $note = fn ($text) => file_put_contents(__DIR__ . '/new', $text) && rename(__DIR__ . '/new', __DIR__ . '/told');
    switch ($_GET['case']) {
        case 'finish':
            ob_start();
            echo 'finished';
            $first = fastcgi_finish_request();
            echo 'never seen';
            $until = microtime(true) + 10;
            while (!file_exists(__DIR__ . '/seen') && microtime(true) < $until) usleep(1000);
            $note(json_encode([file_exists(__DIR__ . '/seen'), $first, fastcgi_finish_request(), headers_sent()]));
            break;
        case 'pieces':
            header('X-Accel-Buffering: no');
            foreach (['one ', 'two ', 'three'] as $piece) {
                echo $piece;
                flush();
                $until = microtime(true) + 10;
                while (!file_exists(__DIR__ . "/" . trim($piece)) && microtime(true) < $until) usleep(1000);
            }
            break;
        case 'large': for ($i = 0; $i < 2000; $i++) echo str_repeat(chr(65 + $i % 26), 1000 + $i % 7); break;
        case 'leave':
        case 'stay':
            ignore_user_abort($_GET['case'] === 'stay');
            register_shutdown_function(fn () => $note('shutdown ' . connection_status()));
            echo 'x';
            flush();
            $until = microtime(true) + 10;
            if ($_GET['case'] === 'stay') {
                while (!connection_aborted() && microtime(true) < $until) usleep(1000);
                echo 'y';
                flush();
                register_shutdown_function(fn () => file_put_contents(__DIR__ . '/told', ' came here', FILE_APPEND));
                break;
            }
            while (microtime(true) < $until) { echo 'y'; flush(); }
            $note('not ended');
    }
    PHP, 'told.php' => '<?php echo @file_get_contents("told");']);
$finished = $server->get('/?case=finish');
touch($server->place('root/seen'));
echo "$finished->status $finished->body\n";
echo $server->get('/told.php')->body, "\n";

$connection = $server->connect();
$connection->request('GET', '/?case=pieces');
$head = '';
while (!str_ends_with($head, "\r\n\r\n")) $head .= $connection->bytes(1);
foreach (['one', 'two', 'three'] as $piece) {
    echo addcslashes($connection->bytes(strlen($piece) + 3 + ($piece === 'three' ? 2 : 3)), "\r\n"), "\n";
    touch($server->place("root/$piece"));
}
echo addcslashes($connection->bytes(5), "\r\n"), "\n";

$large = '';
for ($i = 0; $i < 2000; $i++) $large .= str_repeat(chr(65 + $i % 26), 1000 + $i % 7);
$response = $server->get('/?case=large');
var_dump($response->complete && $response->body === $large);

foreach (['leave', 'stay'] as $case) {
    @unlink($server->place('root/told'));
    $connection = $server->connect();
    $connection->request('GET', "/?case=$case");
    $connection->bytes(1);
    $connection->close();
    wait_until(fn () => file_exists($server->place('root/told')), 'the script has ended');
    echo "$case: ", $server->get('/told.php')->body, "\n";
}
echo $server->stop(), "\n";
echo preg_match('/WARN|ERROR/', $server->log()), "\n";
?>
--EXPECT--
200 finished
[true,true,false,true]
4\r\none \r\n
4\r\ntwo \r\n
5\r\nthree\r\n
0\r\n\r\n
bool(true)
leave: shutdown 1
stay: shutdown 1 came here
0
0
