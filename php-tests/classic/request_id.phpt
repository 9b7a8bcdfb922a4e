--TEST--
request_id: where requests are seen as under php-fpm it is $_SERVER['REQUEST_ID'], and nothing else can be
--FILE--
<?php
require __DIR__ . '/classic.inc';
require_once __DIR__ . '/../web/web.inc';

const ANSWER = 'echo $_SERVER["REQUEST_ID"] ?? "none", " ", $_SERVER["HTTP_REQUEST_ID"] ?? "none";';
putenv('REQUEST_ID=of-the-environment');
$on = "'request_id' => true, 'request_id_response' => true";
$servers = [
    'classic' => fn (string $set) => classic(['index.php' => '<?php ' . ANSWER], $set),
    'web' => fn (string $set) => web(ANSWER, $set),
];
foreach ($servers as $name => $start) {
    foreach (['off' => "'request_id' => false", 'on' => $on] as $state => $set) {
        $server = $start($set);
        $connection = $server->connect();
        for ($i = 0; $i < 2; $i++) {
            $connection->request('GET', '/', ['Request-Id' => 'a-header', 'X-Request-Id' => 'forged']);
            $response = $connection->response();
            [$id, $header] = explode(' ', $response->body);
            $id = match ($id) {
                $response->header('x-request-id') => 'the one of the response',
                default => $id,
            };
            echo "$name $state: $id, $header\n";
        }
        $server->stop();
    }
}
?>
--EXPECT--
classic off: of-the-environment, a-header
classic off: of-the-environment, a-header
classic on: the one of the response, a-header
classic on: the one of the response, a-header
web off: of-the-environment, a-header
web off: of-the-environment, a-header
web on: the one of the response, a-header
web on: the one of the response, a-header
