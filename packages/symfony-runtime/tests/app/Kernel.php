<?php

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\TwigBundle\TwigBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\BinaryFileResponse;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;
use Symfony\Component\HttpKernel\Event\TerminateEvent;
use Symfony\Component\HttpKernel\Exception\NotFoundHttpException;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;
use Symfony\Component\HttpKernel\KernelEvents;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;
use Symfony\Contracts\Service\ResetInterface;

/** A service that forgets when Symfony resets it. */
final class Counter implements ResetInterface
{
    public int $count = 0;
    public static int $resets = 0;

    public function reset(): void
    {
        $this->count = 0;
        self::$resets++;
    }
}

/** The application of the tests: what Symfony does with a request, each kind by a path. */
final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new TwigBundle()];
    }

    public function getProjectDir(): string
    {
        return __DIR__;
    }

    public function getCacheDir(): string
    {
        return getenv('APP_VAR') . '/cache';
    }

    public function getLogDir(): string
    {
        return getenv('APP_VAR') . '/log';
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'secret' => 'of the tests',
            'http_method_override' => true,
            'session' => ['storage_factory_id' => 'session.storage.factory.native', 'handler_id' => null, 'save_path' => getenv('APP_VAR')],
            'php_errors' => ['log' => false],
        ]);
        $container->extension('twig', ['default_path' => __DIR__ . '/templates', 'paths' => []]);
        $container->services()
            ->set('counter', Counter::class)->public()->tag('kernel.reset', ['method' => 'reset'])
            ->alias('test.twig', 'twig')->public();
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        foreach (get_class_methods($this) as $method) {
            if (str_starts_with($method, 'show')) {
                $path = strtolower(substr($method, 4));
                $routes->add($path, "/$path")->controller("kernel::$method");
            }
        }
    }

    public function showHello(Request $request): Response
    {
        return new Response($this->getContainer()->get('test.twig')->render('hello.html.twig', ['name' => $request->query->get('name', 'world')]));
    }

    public function showRequest(Request $request): Response
    {
        return new JsonResponse([
            'method' => $request->getMethod(),
            'uri' => preg_replace('/:\d+/', ':PORT', $request->getUri()),
            'path' => $request->getPathInfo(),
            'base' => $request->getBaseUrl(),
            'secure' => $request->isSecure(),
            'ip' => $request->getClientIp(),
            'user' => $request->getUser(),
            'version' => $request->getProtocolVersion(),
            'query' => $request->query->all(),
            'post' => $request->request->all(),
            'cookies' => $request->cookies->all(),
            'a' => $request->headers->all('x-a'),
            'content' => strlen($request->getContent()) > 100 ? md5($request->getContent()) : $request->getContent(),
            'stream' => md5((string) stream_get_contents($request->getContent(true))),
            'globals' => [$_GET, $_POST, $_COOKIE],
        ]);
    }

    public function showUpload(Request $request): Response
    {
        $file = $request->files->get('file');
        $moved = $file->move(getenv('APP_VAR'), 'moved');
        return new JsonResponse([$file->getClientOriginalName(), $file->isValid(), md5_file($moved->getPathname())]);
    }

    public function showSession(Request $request): Response
    {
        $session = $request->getSession();
        if ($request->query->has('user')) {
            $session->set('user', $request->query->get('user'));
            $session->getFlashBag()->add('notice', 'hello ' . $request->query->get('user'));
            return new RedirectResponse('/session');
        }
        return new JsonResponse([$session->get('user'), $session->getFlashBag()->all()]);
    }

    public function showLogout(Request $request): Response
    {
        $request->getSession()->invalidate();
        return new Response('out');
    }

    public function showCookies(): Response
    {
        $response = new Response('cookies');
        $response->headers->setCookie(new Symfony\Component\HttpFoundation\Cookie('a', '1'));
        $response->headers->setCookie(new Symfony\Component\HttpFoundation\Cookie('b', 'x y', raw: false));
        return $response;
    }

    public function showDownload(Request $request): Response
    {
        $path = __DIR__ . '/data.txt';
        if ($request->query->has('temporary')) {
            copy($path, $path = getenv('APP_VAR') . '/temporary.txt');
        }
        $response = new BinaryFileResponse($path);
        $response->headers->set('Content-Type', 'text/x-data');
        $response->deleteFileAfterSend($request->query->has('temporary'));
        return $response;
    }

    public function showStream(Request $request): Response
    {
        return new StreamedResponse(function () use ($request) {
            foreach (range(1, (int) $request->query->get('pieces', 3)) as $piece) {
                echo "piece $piece\n";
                // Nobody goes on until the client has it.
                for ($until = microtime(true) + 20; $request->query->has('wait') && microtime(true) < $until && !is_file(getenv('APP_VAR') . "/seen$piece");) {
                    clearstatcache();
                    usleep(1000);
                }
            }
        }, 200, ['Content-Type' => 'text/plain', 'X-Streamed' => 'yes']);
    }

    public function showEcho(): Response
    {
        echo 'printed, ';
        return new Response('returned', 200, ['Content-Length' => '8']);
    }

    public function showDump(): Response
    {
        dump(['a dumped key' => 1]);
        return new Response('after the dump');
    }

    public function showExit(Request $request): Response
    {
        if ($request->query->has('dd')) {
            dd(['a dumped key' => 1]);
        }
        echo 'printed before the exit';
        exit;
    }

    public function showFatal(): Response
    {
        echo 'printed before the error';
        eval('interface Twice {} interface Twice {}');
        return new Response();
    }

    public function showThrow(): Response
    {
        throw new RuntimeException('thrown on purpose');
    }

    public function showMissing(): Response
    {
        throw new NotFoundHttpException('missing on purpose');
    }

    public function showEmpty(): Response
    {
        return new Response('', 204);
    }

    public function showCount(): Response
    {
        $counter = $this->getContainer()->get('counter');
        return new JsonResponse([++$counter->count, getmypid(), Counter::$resets > 0]);
    }

    public function showTerminate(): Response
    {
        $dispatcher = $this->getContainer()->get('event_dispatcher');
        $dispatcher->addListener(KernelEvents::TERMINATE, $listener = function (TerminateEvent $event) use (&$listener, $dispatcher) {
            $dispatcher->removeListener(KernelEvents::TERMINATE, $listener);
            // The client has its answer before: it makes this file.
            for ($until = microtime(true) + 20; !is_file(getenv('APP_VAR') . '/answered') && microtime(true) < $until; usleep(1000)) {
                clearstatcache();
            }
            file_put_contents(getenv('APP_VAR') . '/terminated', is_file(getenv('APP_VAR') . '/answered') ? 'after the answer' : 'too early');
        });
        return new Response('answered');
    }

    public function showMode(): Response
    {
        return new Response($_SERVER['APP_RUNTIME_MODE']);
    }
}
