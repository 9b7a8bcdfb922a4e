<?php

// What script/bench measures applications with: each request runs a file, as under php-fpm.
//
//   php -d extension=… bench/application.php --port PORT --workers N --root FOLDER --script FILE

declare(strict_types=1);

$options = getopt('', ['port:', 'workers:', 'root:', 'script:']);

$server = new Ferrite\Http\Server('127.0.0.1', (int) $options['port']);
$server->set([
    'banner' => false,
    'worker_num' => (int) $options['workers'],
    'reactor_num' => 1,
    'document_root' => $options['root'],
    'script' => $options['script'],
]);
$server->start();
