"""Views of Django REST framework that refuse input in all the ways there are."""
# mypy: disable-error-code="misc"

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

SETTINGS: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    "INSTALLED_APPS": ["flowery_logging.integrations.django.LoggingConfig", "rest_framework"],
    "REST_FRAMEWORK": {
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
}


class Item(serializers.Serializer):
    price = serializers.IntegerField(min_value=0)


class Order(serializers.Serializer):
    number = serializers.IntegerField()
    password = serializers.CharField(max_length=3, required=False)
    items = Item(many=True, required=False)
    sizes = serializers.ListField(child=serializers.IntegerField(), required=False)
    tags = serializers.DictField(child=serializers.IntegerField(), required=False)

    def validate(self, attrs: Any) -> Any:
        if attrs["number"] == 13:
            raise serializers.ValidationError("13 is refused", code="unlucky")
        if attrs["number"] == 14:
            raise serializers.ValidationError({attrs["password"]: "refused", "number": "refused"})
        return attrs


class Raises(APIView):
    def post(self, request: Any) -> Response:
        Order(data=request.data).is_valid(raise_exception=True)
        return Response({"ok": True})


class Answers(APIView):
    def post(self, request: Any) -> Response:
        order = Order(data=request.data)
        if order.is_valid():
            return Response(order.data)
        return Response(order.errors, status=400)


class Wraps(APIView):
    def post(self, request: Any) -> Response:
        order = Order(data=request.data)
        order.is_valid()
        return Response({"problems": [order.errors]}, status=422)


class Many(APIView):
    def post(self, request: Any) -> Response:
        Order(data=request.data, many=True).is_valid(raise_exception=True)
        return Response({})


class ByHand(APIView):
    def post(self, request: Any) -> Response:
        raise serializers.ValidationError({next(iter(request.data)): "refused"}, code="odd")


class Recovers(APIView):
    def post(self, request: Any) -> Response:
        return Response(Order(data=request.data).is_valid())


class Moves(APIView):
    def post(self, request: Any) -> Response:
        order = Order(data=request.data)
        order.is_valid()
        return Response(order.errors, status=202)


def flattening(exc: Exception, context: Any) -> Response | None:
    """Make of an error what has neither kinds nor a serializer."""
    response = exception_handler(exc, context)
    if response is not None:
        response.data = {"errors": "; ".join(str(one) for one in response.data)}
    return response


urlpatterns = [
    path("raises/", Raises.as_view()),
    path("answers/", Answers.as_view()),
    path("wraps/", Wraps.as_view()),
    path("many/", Many.as_view()),
    path("by-hand/", ByHand.as_view()),
    path("recovers/", Recovers.as_view()),
    path("moves/", Moves.as_view()),
]
