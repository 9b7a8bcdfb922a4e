<?php

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\TwigBundle\TwigBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\BinaryFileResponse;
use Symfony\Component\HttpFoundation\Cookie;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

/** An application of Symfony, all in one class. */
final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new TwigBundle()];
    }

    public function getProjectDir(): string
    {
        return dirname(__DIR__);
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'secret' => 'of the tests',
            'session' => ['handler_id' => null, 'storage_factory_id' => 'session.storage.factory.native', 'cookie_secure' => 'auto', 'cookie_samesite' => 'lax'],
            'php_errors' => ['log' => true],
        ]);
        $container->extension('twig', ['default_path' => '%kernel.project_dir%/templates']);
        $container->services()->alias('page', 'twig')->public();
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        foreach ([
            'home' => '/', 'hello' => '/hello/{name}', 'error' => '/error', 'dump' => '/dump', 'away' => '/away', 'cookies' => '/cookies',
            'download' => '/download', 'stream' => '/stream', 'login' => '/login', 'account' => '/account',
        ] as $name => $path) {
            $routes->add($name, $path)->controller(["kernel", $name])->methods(['GET']);
        }
        $routes->add('json', '/json')->controller(['kernel', 'json'])->methods(['GET', 'POST']);
        foreach (['upload' => '/upload', 'checkLogin' => '/login', 'logout' => '/logout'] as $name => $path) {
            $routes->add($name, $path)->controller(['kernel', $name])->methods(['POST']);
        }
    }

    private function page(string $template, array $values = [], int $status = 200): Response
    {
        return new Response($this->getContainer()->get('page')->render("$template.html.twig", $values), $status);
    }

    public function home(Request $request): Response
    {
        return $this->page('home', ['user' => $request->getSession()->get('user', 'nobody')]);
    }

    public function hello(Request $request, string $name): Response
    {
        return $this->page('hello', ['name' => $name, 'greeting' => $request->query->get('greeting', 'Hello')]);
    }

    public function error(): Response
    {
        throw new RuntimeException('as it should');
    }

    public function dump(Request $request): Response
    {
        dd(['method' => $request->getMethod(), 'sapi is cli' => PHP_SAPI === 'cli']);
    }

    public function json(Request $request): Response
    {
        return (new JsonResponse([
            'protocol' => $request->getScheme(), 'path' => ltrim($request->getPathInfo(), '/'), 'host' => $request->getHost(),
            'secure' => $request->isSecure(), 'ip' => $request->getClientIp(), 'base' => $request->getBaseUrl(),
            'content' => json_decode($request->getContent(), true), 'cookies' => $request->cookies->all(),
        ]))->setEncodingOptions(JSON_UNESCAPED_SLASHES);
    }

    public function away(): Response
    {
        return new RedirectResponse('https://example.org/?a=1', 303);
    }

    public function cookies(): Response
    {
        $response = new Response('cookies');
        $response->headers->setCookie(Cookie::create('a', '1'));
        $response->headers->setCookie(Cookie::create('b', 'two words')->withSameSite('strict')->withSecure());
        $response->headers->clearCookie('c');
        return $response;
    }

    public function download(): Response
    {
        $file = $this->getProjectDir() . '/public/digits.txt';
        return (new BinaryFileResponse($file))->setContentDisposition('attachment', 'digits.txt');
    }

    public function stream(): Response
    {
        return new StreamedResponse(function (): void {
            for ($n = 0; $n < 1000; $n++) {
                echo "piece $n\n";
                $n % 100 || flush();
            }
        }, 200, ['Content-Type' => 'text/plain']);
    }

    public function upload(Request $request): Response
    {
        $file = $request->files->get('file');
        if ($file === null || !$file->isValid()) {
            return new JsonResponse(['error' => 'no file'], 422);
        }
        [$name, $size, $type] = [$file->getClientOriginalName(), $file->getSize(), $file->getMimeType()];
        $kept = $file->move($this->getProjectDir() . '/var/uploads', 'kept');
        return new JsonResponse([
            'name' => $name, 'size' => $size, 'type' => $type, 'hash' => hash_file('sha256', $kept->getPathname()),
            'title' => $request->request->get('title'),
        ]);
    }

    public function login(Request $request): Response
    {
        return $this->page('login', ['token' => $this->token($request)]);
    }

    private function token(Request $request): string
    {
        $session = $request->getSession();
        $session->has('token') || $session->set('token', bin2hex(random_bytes(16)));
        return $session->get('token');
    }

    public function checkLogin(Request $request): Response
    {
        $form = $request->request;
        if (!hash_equals($this->token($request), (string) $form->get('_token'))) {
            throw new AccessDeniedHttpException('whose form is this?');
        }
        $name = $form->get('name');
        if ($form->get('password') !== "$name secret") {
            return $this->page('login', ['token' => $this->token($request), 'error' => 'wrong password'], 422);
        }
        $session = $request->getSession();
        $session->migrate(true);
        $session->set('user', $name);
        $session->getFlashBag()->add('note', "Welcome, $name");
        return new RedirectResponse('/account');
    }

    public function account(Request $request): Response
    {
        $session = $request->getSession();
        if (!$session->has('user')) {
            return new RedirectResponse('/login');
        }
        $session->set('visits', $session->get('visits', 0) + 1);
        return $this->page('account', [
            'user' => $session->get('user'), 'visits' => $session->get('visits'), 'notes' => $session->getFlashBag()->get('note'),
            'token' => $this->token($request),
        ]);
    }

    public function logout(Request $request): Response
    {
        $request->getSession()->invalidate();
        return new RedirectResponse('/');
    }
}
