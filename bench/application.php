<?php

// What script/bench measures applications with: each request runs a file, as under php-fpm, or a script stays.
//
//   php -d extension=… bench/application.php --port PORT --workers N --root FOLDER --script FILE --way WAY
//
// WAY is classic (FILE lies below the root), callback (FILE returns the function that is called for each request), or pull
// (FILE asks for requests).

declare(strict_types=1);

$options = getopt('', ['port:', 'workers:', 'root:', 'script:', 'way:']);

$server = new Ferrite\Http\Server('127.0.0.1', (int) $options['port']);
$server->set([
    'banner' => false,
    'worker_num' => (int) $options['workers'],
    'reactor_num' => 1,
    'document_root' => $options['root'],
]);
match ($options['way']) {
    'classic' => $server->set(['script' => $options['script']]),
    'callback' => $server->on('Request', new Ferrite\Http\Web(require $options['script'])),
    'pull' => $server->set(['worker_script' => $options['script'], 'frankenphp_alias' => true]),
};
$server->start();
