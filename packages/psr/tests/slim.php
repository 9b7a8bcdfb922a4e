<?php

// An application of Slim 3, with requests and responses of Nyholm's.

declare(strict_types=1);

error_reporting(E_ALL & ~E_DEPRECATED);
require 'Slim/autoload.php';
require 'Nyholm/Psr7/autoload.php';
require __DIR__ . '/interfaces.php';
require __DIR__ . '/../../bridge/src/ServerVariables.php';
require __DIR__ . '/../src/Handler.php';
require __DIR__ . '/../src/RequestFactory.php';
require __DIR__ . '/../src/Emitter.php';

use Ferrite\Http\Server;
use Ferrite\Psr\Handler;
use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ServerRequestInterface;

$app = new Slim\App();
$app->get('/hello/{name}', function ($request, $response, $arguments) {
    $response->getBody()->write("Hello $arguments[name]");
    return $response;
});
$app->post('/form', fn ($request, $response) => $response->withStatus(303)->withHeader('Location', '/hello/' . $request->getParsedBody()['name']));
$app->add(fn ($request, $response, $next) => $next($request, $response)->withHeader('X-Middleware', 'yes'));

$factory = new Psr17Factory();
$server = new Server('127.0.0.1', 0);
$server->set(['worker_num' => 1, 'reactor_num' => 1]);
$server->on('Request', Handler::with(fn (ServerRequestInterface $request) => $app->process($request, $factory->createResponse()), $factory));
$server->start();
