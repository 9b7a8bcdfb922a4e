<?php

declare(strict_types=1);

// Unchanged, as Symfony's recipe makes it but for the names of folders; APP_KIND chooses what is returned.

require_once __DIR__ . '/../autoload_runtime.php';

return function (array $context) {
    require_once __DIR__ . '/../Kernel.php';
    return match ($context['APP_KIND'] ?? 'kernel') {
        'kernel' => new Kernel($context['APP_ENV'], (bool) $context['APP_DEBUG']),
        'response' => new Symfony\Component\HttpFoundation\Response('a response', 201),
        'callable' => fn (Symfony\Component\HttpFoundation\Request $request) => 'called with ' . $request->query->get('a'),
        'native' => fn (Ferrite\Http\Request $request, Ferrite\Http\Response $response) => $response->end('native ' . $request->getTarget()),
        'psr' => new class implements Psr\Http\Server\RequestHandlerInterface {
            public function handle(Psr\Http\Message\ServerRequestInterface $request): Psr\Http\Message\ResponseInterface
            {
                return (new Nyholm\Psr7\Factory\Psr17Factory())->createResponse()->withBody(Nyholm\Psr7\Stream::create("PSR-15 {$request->getUri()->getPath()}"));
            }
        },
    };
};
